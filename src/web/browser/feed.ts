/**
 * The one stream of this tab: everything that happens to this person, in order, over broken
 * connections, sleeping machines and restarted servers.
 *
 * This file owns when to connect, when to give a connection up and when to try again. It must never
 * interpret an event. Nothing is lost between two connections: each begins where the last one ended.
 */
import { type JsonObject, objectIn, objectsIn, textIn } from "./json.ts";
import { DOUBT_MS, RECONNECT_MS, SILENCE_MS_MAX } from "./limits.ts";
import type { McpClient, StreamEnd } from "./mcp-client.ts";

/** Pages of events fetched at once after a break; a full mailbox has fewer. */
const POLLS_MAX = 20;

export type Connection = "off" | "connecting" | "open" | "lost";

export interface FeedOptions {
  readonly client: McpClient;
  /** Called before each stream: makes sure that there is somebody to stream for. @returns how that went */
  readonly prepare: () => Promise<"go" | "stop" | "later">;
  /** Behind which event the next stream begins; undefined = now. */
  readonly cursor: () => string | undefined;
  readonly onEvent: (name: string, data: JsonObject) => void;
  /** Everything up to here has been told. */
  readonly onRead: (cursor: string) => void;
  /** Events between the cursor and what follows are gone. */
  readonly onMissed: () => void;
  readonly onDenied: () => void;
  readonly onConnection: (connection: Connection) => void;
}

export class Feed {
  readonly #options: FeedOptions;
  /** The run that goes on; a run that is not this one any more ends at its next step. */
  #run: symbol | undefined;
  #connection: Connection = "off";
  /** Ends the stream that is open. */
  #stream: AbortController | undefined;
  /** When the server was last heard, in milliseconds since 1970. */
  #heardAt = 0;
  /** Ends the wait before the next attempt. */
  #hurry: (() => void) | undefined;
  #failures = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Connects and stays connected. Does nothing if it does already. */
  start(): void {
    if (this.#run !== undefined) return;
    this.#run = Symbol("run");
    this.#failures = 0;
    void this.#stayConnected(this.#run);
  }

  /** Closes the stream for good. */
  stop(): void {
    this.#run = undefined;
    this.#stream?.abort();
    this.#hurry?.();
    this.#report("off");
  }

  /**
   * Something suggests that the connection has changed: the machine woke up, the network is back, a
   * request has failed. Waits no longer, and gives up a stream that has been silent for too long.
   */
  nudge(): void {
    if (this.#run === undefined) return;
    if (this.#stream !== undefined && Date.now() - this.#heardAt > DOUBT_MS) this.#stream.abort();
    this.#hurry?.();
  }

  /** The connection is known to be dead. */
  drop(): void {
    this.#stream?.abort();
  }

  /** Fetches what happened while no stream was open, without opening one. @returns whether that is all */
  async catchUp(): Promise<boolean> {
    const { client, cursor, onMissed, onRead } = this.#options;
    for (let n = 0; n < POLLS_MAX; n++) {
      const query = { name: "chat.activity", arguments: {}, cursor: cursor() ?? null, maxEvents: 100 };
      const outcome = await client.request("events/poll", query);
      if (outcome.kind !== "ok") return false;
      const { value } = outcome;
      if (value.truncated === true) onMissed();
      for (const event of objectsIn(value.events)) this.#tell(event);
      onRead(textIn(value.cursor));
      if (value.hasMore !== true) return true;
    }
    return false;
  }

  async #stayConnected(run: symbol): Promise<void> {
    while (this.#run === run) {
      this.#report(this.#failures === 0 ? "connecting" : "lost");
      const prepared = await this.#options.prepare();
      if (this.#run !== run) break;
      if (prepared === "stop") {
        this.stop();
        break;
      }
      const end = prepared === "go" ? await this.#hold() : undefined;
      if (this.#run !== run) break;
      if (end?.kind === "denied") {
        this.stop();
        this.#options.onDenied();
        break;
      }
      this.#report("lost");
      await this.#pause(end?.kind === "unreachable" ? end.retryAfterMs : 0);
    }
  }

  /** Opens a stream and reads it to its end. */
  async #hold(): Promise<StreamEnd> {
    const { client, cursor } = this.#options;
    const stream = new AbortController();
    this.#stream = stream;
    this.#heardAt = Date.now();
    // Looked at often: while a machine sleeps its timers stand still, and silence must be noticed soon after.
    const watch = setInterval(() => {
      if (Date.now() - this.#heardAt > SILENCE_MS_MAX) stream.abort();
    }, 1000);
    const end = await client.stream(
      { name: "chat.activity", arguments: {}, cursor: cursor() ?? null },
      (message) => {
        this.#heardAt = Date.now();
        if (!stream.signal.aborted) this.#take(textIn(message.method), objectIn(message.params));
      },
      stream.signal,
    );
    clearInterval(watch);
    if (this.#stream === stream) this.#stream = undefined;
    return end;
  }

  #take(method: string, params: JsonObject): void {
    const { onMissed, onRead } = this.#options;
    switch (method) {
      case "notifications/events/active":
        this.#failures = 0;
        this.#report("open");
        if (params.truncated === true) onMissed();
        break;
      case "notifications/events/event":
        this.#tell(params);
        break;
      case "notifications/events/terminated":
        // Says why in the result that follows nothing that helps: `prepare` finds out.
        return;
    }
    const cursor = textIn(params.cursor);
    if (cursor !== "") onRead(cursor);
  }

  /** @param occurrence of `chat.activity`, whose data is the event proper with its name */
  #tell(occurrence: JsonObject): void {
    const { name, data } = objectIn(occurrence.data);
    this.#options.onEvent(textIn(name), objectIn(data));
  }

  /** Waits before the next attempt: longer each time, not all tabs at once, never when hurried. */
  #pause(atLeastMs: number): Promise<void> {
    const { first, max } = RECONNECT_MS;
    const backoffMs = Math.min(max, first * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures++;
    return new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        if (this.#hurry === go) this.#hurry = undefined;
        resolve();
      };
      const timer = setTimeout(go, Math.max(atLeastMs, backoffMs));
      this.#hurry = go;
    });
  }

  #report(connection: Connection): void {
    if (this.#connection === connection) return;
    this.#connection = connection;
    this.#options.onConnection(connection);
  }
}

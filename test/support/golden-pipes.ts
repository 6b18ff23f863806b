/**
 * The people of golden stories who speak over a pair of pipes, which all their messages share.
 *
 * This file owns no pipe: that is stdio-pipe.ts. It must never skip a message.
 */

import { Actor, type ActorOptions, type Exchange, type RequestOptions } from "./golden-actors.ts";
import { isJson, type Json, type Layout } from "./golden-minutes.ts";
import type { Stage } from "./golden-stage.ts";
import { StdioPipe } from "./stdio-pipe.ts";

/** One process that serves stdio. Its lobby is that of the stage. */
export class Pipe {
  readonly #pipe: StdioPipe;
  readonly #stage: Stage;

  /** @param overhears takes what nobody asked for; left out, the story must take notice of everything */
  constructor(stage: Stage, overhears?: (message: Json) => void) {
    this.#stage = stage;
    this.#pipe = new StdioPipe(stage.chat.definition, { now: () => stage.clock.now(), release: stage.chat.release });
    stage.expectHeardOut({
      who: "whoever holds the pipe",
      rest: async () => {
        const rest = this.#pipe.rest().map(asJson);
        if (overhears === undefined) return rest;
        rest.forEach(overhears);
        return [];
      },
    });
  }

  write(line: string): void {
    this.#pipe.text(`${line}\n`);
  }

  /** The next line of the server. */
  async read(): Promise<Json> {
    return asJson(await this.#pipe.said());
  }

  /** Ends the input, and waits until the server has finished. */
  async end(): Promise<void> {
    this.#stage.note("The input ends.");
    this.#pipe.end();
    await this.#pipe.server.done;
  }
}

function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

/** Somebody on a pipe. Several may share one, as several conversations of one client do. */
export class PipeActor extends Actor {
  readonly #pipe: Pipe;

  constructor(stage: Stage, name: string, pipe: Pipe, options: ActorOptions = {}) {
    super(stage, name, options);
    this.#pipe = pipe;
    // Ids are unique on the whole pipe.
    this.lastId = name.charCodeAt(0) * 100;
    stage.minutes.introduced(`${name} speaks ${this.revision} over stdio.`);
  }

  override get showsToken(): boolean {
    return this.era === "legacy";
  }

  send(method: string, params: Json = {}, options: RequestOptions = {}): Exchange {
    const id = options.id ?? ++this.lastId;
    const own = isJson(options.meta) ? { ...params, _meta: options.meta } : params;
    this.stage.minutes.sent(this.name, "line", method + (options.showsId === true ? ` #${id}` : ""), own);
    this.#pipe.write(JSON.stringify({ jsonrpc: "2.0", id, method, params: this.paramsOf(params, options.meta) }));
    return new PipeExchange(this, method, method === "tools/call" ? String(params.name) : undefined, id);
  }

  notify(method: string, params: Json = {}): void {
    this.stage.minutes.sent(this.name, "line", method, params);
    this.#pipe.write(JSON.stringify({ jsonrpc: "2.0", method, params }));
  }

  /** Sends a line as it is. */
  raw(line: string): void {
    this.stage.minutes.told(this.name, "->", `line ${line}`);
    this.#pipe.write(line);
  }

  /** The next line, whatever it is. */
  async hears(method = "", tool?: string, layout: Layout = "fill"): Promise<Json> {
    const message = await this.#pipe.read();
    this.heard({ method: message.method === undefined ? method : "", tool, message }, "stdio");
    if (typeof message.method === "string") this.stage.minutes.heard(this.name, "", message, undefined);
    else this.stage.minutes.answered(this.name, "", "", method, message, layout);
    return message;
  }
}

class PipeExchange implements Exchange {
  readonly lastEventId = "";
  readonly #actor: PipeActor;
  readonly #method: string;
  readonly #tool: string | undefined;
  readonly #id: string | number;

  constructor(actor: PipeActor, method: string, tool: string | undefined, id: string | number) {
    this.#actor = actor;
    this.#method = method;
    this.#tool = tool;
    this.#id = id;
  }

  hears(): Promise<Json> {
    return this.#actor.hears(this.#method, this.#tool);
  }

  async answer(layout?: Layout): Promise<Json> {
    for (;;) {
      const message = await this.#actor.hears(this.#method, this.#tool, layout);
      if (message.id === this.#id) return message;
      if (message.method === undefined) throw new Error(`not the answer to ${this.#id}: ${JSON.stringify(message)}`);
    }
  }

  ends(): Promise<void> {
    throw new Error("answers on a pipe have no streams");
  }

  drop(): Promise<void> {
    throw new Error("answers on a pipe have no connections");
  }
}

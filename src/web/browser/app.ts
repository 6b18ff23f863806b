/**
 * The page's deeds: what happens when somebody presses, types or comes back, and when the server
 * speaks.
 *
 * This file owns the order of calls to the server and what their answers mean for the state. It must
 * never touch the document.
 */
import { type Action, nextUnsent, queueIn, roomIn, type State, unsentCount } from "./conversation.ts";
import { type Connection, Feed } from "./feed.ts";
import { interestsIn } from "./interests.ts";
import { type JsonObject, numberIn, objectsIn, textIn } from "./json.ts";
import { QUEUE_LOOK_MS, RECONNECT_MS, TYPING_SHOWN_MS, UNSENT_MAX } from "./limits.ts";
import type { Notice } from "./lines.ts";
import type { Failure, McpClient, Outcome } from "./mcp-client.ts";
import { Outbox } from "./outbox.ts";
import { lookAtQueue } from "./queue-look.ts";
import { randomId } from "./random-id.ts";
import type { Profile } from "./storage.ts";
import { type Model, Store, type StoreOptions } from "./store.ts";
import { TypingNotices } from "./typing.ts";

export class App {
  readonly #client: McpClient;
  readonly #store: Store;
  readonly #feed: Feed;
  readonly #outbox: Outbox;
  readonly #typing: TypingNotices;
  #typingTimer: ReturnType<typeof setTimeout> | undefined;
  /** Given by the person, needed until there is a session token. */
  #accessToken: string | undefined;

  constructor(options: StoreOptions & { readonly client: McpClient }) {
    const { client, session } = options;
    this.#store = new Store(options);
    this.#client = client;
    client.credential = session.token;
    this.#feed = new Feed({
      client,
      prepare: () => this.#prepare(),
      cursor: () => this.#state.cursor,
      onEvent: (name, data) => this.#hear(name, data),
      onRead: (cursor) => this.#dispatch({ type: "read", cursor }),
      onMissed: () => void this.#fillGap(),
      onDenied: () => void this.#forget(),
      onConnection: (connection) => this.#connected(connection),
    });
    this.#outbox = new Outbox({
      next: () => (this.#state.place === "chatting" ? nextUnsent(this.#state) : undefined),
      send: ({ key, text }) =>
        client.callTool("send_message", { ...this.#roomArgument(), message: text, client_message_id: key }),
      onSent: ({ key }, { value }) =>
        this.#dispatch({ type: "sent", key, seq: numberIn(value.seq), held: value.delivery === "queued" }),
      onFailed: ({ key }, problem) => this.#dispatch({ type: "failed", key, problem }),
      onDenied: () => void this.#forget(),
      onUnreachable: () => this.#feed.nudge(),
    });
    this.#typing = new TypingNotices((typing) => {
      if (this.#has("set_typing")) void client.callTool("set_typing", { ...this.#roomArgument(), typing });
    });
    setInterval(() => void this.#lookAtQueue(), QUEUE_LOOK_MS);
  }

  get model(): Model {
    return this.#store.model;
  }

  get profile(): Profile {
    return this.#store.session.profile;
  }

  /** Begins where the tab was before a reload. */
  open(): void {
    if (this.#isPresent) this.#feed.start();
    void this.#learnTools();
  }

  // --- before the chat ----------------------------------------------------------------------------

  async giveAccessToken(token: string): Promise<void> {
    this.#accessToken = token;
    this.#client.credential = token;
    await this.#learnTools();
    // Asked for in the middle of waiting: the place in the queue is gone.
    if (this.#store.model.access === "given" && this.#state.place === "waiting") await this.#waitAgain();
  }

  /** Joins the queue. */
  async enter(profile: Profile = this.profile): Promise<void> {
    const { name, interests, partnerKind } = profile;
    this.#store.keep({ profile });
    await this.#arrive("enter_queue", {
      ...(name.trim() === "" ? {} : { display_name: name }),
      interests: interestsIn(interests),
      kind: "human",
      partner_kind: partnerKind,
    });
  }

  /** Waits for, or meets, somebody who has the same code. */
  async join(code: string, profile: Profile): Promise<void> {
    const { name } = profile;
    this.#store.keep({ profile });
    await this.#arrive(
      "join_room",
      { room_code: code, ...(name.trim() === "" ? {} : { display_name: name }), kind: "human" },
      code,
    );
  }

  async stopWaiting(): Promise<void> {
    await this.#ask("leave_queue", {}, ["not_waiting", "no_session", "bad_session_token"], () =>
      this.#dispatch({ type: "start" }),
    );
  }

  // --- in the chat ----------------------------------------------------------------------------------

  /** @returns whether it was taken: not if too much waits to be sent already */
  say(text: string): boolean {
    if (this.#state.place !== "chatting" || text.trim() === "") return false;
    if (unsentCount(this.#state) >= UNSENT_MAX) {
      this.#store.change({ problem: { code: "too_many_unsent", message: "" } });
      return false;
    }
    this.#typing.reset();
    this.#store.change({ problem: undefined });
    this.#dispatch({ type: "say", key: randomId(), text, at: Date.now() });
    this.#outbox.wake();
    return true;
  }

  typed(text: string): void {
    if (this.#state.place === "chatting" && this.#store.model.connection === "open") this.#typing.typed(text === "");
  }

  retry(key: string): void {
    this.#dispatch({ type: "retry", key });
    this.#outbox.wake();
  }

  /** Takes back a message that could not be sent. */
  withdraw(key: string): void {
    this.#dispatch({ type: "withdraw", key });
  }

  leave(): Promise<boolean> {
    const done = ["chat_ended", "not_in_room", "room_not_found", "no_session", "bad_session_token"];
    return this.#ask("leave_chat", this.#roomArgument(), done, () => this.#finish("you_left"));
  }

  async next(): Promise<void> {
    if (await this.leave()) await this.enter();
  }

  block(): Promise<boolean> {
    return this.#ask("block_partner", this.#roomArgument(), [], () => this.#finish("you_blocked"));
  }

  report(category: string, details: string): Promise<boolean> {
    const args = { ...this.#roomArgument(), category, ...(details.trim() === "" ? {} : { details }) };
    return this.#ask("report_partner", args, [], () => this.#finish("you_reported"));
  }

  /** Back to the form. */
  change(): void {
    this.#dispatch({ type: "start" });
  }

  // --- what the browser says ------------------------------------------------------------------------

  /** The machine woke up, the tab came to the front, or the network is back. */
  nudge(): void {
    this.#feed.nudge();
    this.#outbox.wake();
  }

  /** The network may be gone; with a server on this machine it may not matter. */
  async doubt(): Promise<void> {
    if (!this.#isPresent) return;
    const outcome = await this.#client.callTool("chat_status", {});
    if (outcome.kind === "unreachable") this.#feed.drop();
  }

  // --- the state ------------------------------------------------------------------------------------

  get #state(): State {
    return this.#store.state;
  }

  get #isPresent(): boolean {
    return ["waiting", "chatting"].includes(this.#state.place);
  }

  #roomArgument(): JsonObject {
    const { room } = this.#state;
    return room === undefined ? {} : { room_id: room.roomId };
  }

  #has(tool: string): boolean {
    return this.#store.model.tools?.has(tool) ?? false;
  }

  #dispatch(action: Action): void {
    this.#store.dispatch(action);
    if (!this.#isPresent) this.#feed.stop();
    if (this.#state.place !== "chatting") this.#typing.reset();
  }

  #finish(notice: Notice): void {
    this.#dispatch({ type: "over", notice, at: Date.now() });
  }

  // --- calls ------------------------------------------------------------------------------------------

  /** Calls a tool of which a second call at the same time would make no sense. @returns whether it was done */
  async #ask(tool: string, args: JsonObject, doneAlready: readonly string[], onDone: () => void): Promise<boolean> {
    if (this.#store.model.isBusy) return false;
    this.#store.change({ isBusy: true, problem: undefined });
    const outcome = await this.#client.callTool(tool, args);
    this.#store.change({ isBusy: false });
    if (outcome.kind === "ok" || (outcome.kind === "refused" && doneAlready.includes(outcome.code))) {
      onDone();
      return true;
    }
    await this.#complain(outcome);
    return false;
  }

  async #complain(failure: Failure): Promise<void> {
    if (isNobodys(failure)) {
      await this.#forget();
      return;
    }
    const code = failure.kind === "refused" ? failure.code : failure.kind;
    this.#store.change({ problem: { code, message: "message" in failure ? failure.message : "" } });
  }

  /** Calls a tool that makes this person wait or meet somebody. */
  async #arrive(tool: string, args: JsonObject, code?: string): Promise<void> {
    if (this.#store.model.isBusy) return;
    this.#store.change({ isBusy: true, problem: undefined });
    let outcome = await this.#client.callTool(tool, args);
    if (isNobodys(outcome) && this.#store.session.token !== undefined) {
      // Known once and forgotten since: begins anew, as the refusal says.
      this.#dropIdentity();
      outcome = await this.#client.callTool(tool, args);
    }
    this.#store.change({ isBusy: false });
    if (outcome.kind === "denied") this.#askForAccess();
    else if (outcome.kind === "ok") this.#arrived(outcome.value, code);
    else await this.#complain(outcome);
  }

  #arrived(value: JsonObject, code: string | undefined): void {
    const token = textIn(value.session_token);
    if (token !== "") {
      this.#client.credential = token;
      this.#store.keep({ token });
    }
    this.#store.keep({ userId: textIn(value.user_id) });
    const at = Date.now();
    if (value.status === "matched") this.#dispatch({ type: "found", room: roomIn(value.room), at });
    else this.#dispatch({ type: "queued", queue: queueIn(value), at, code });
    this.#feed.start();
  }

  /** Says whether anything but the front door is open, and which tools there are. */
  async #learnTools(): Promise<void> {
    const outcome = await this.#client.request("tools/list", {});
    if (outcome.kind === "ok") {
      const names = objectsIn(outcome.value.tools).map(({ name }) => textIn(name));
      this.#store.change({
        tools: new Set(names),
        isUnreachable: false,
        access: this.#accessToken === undefined ? this.#store.model.access : "given",
      });
    } else if (outcome.kind === "denied") {
      // A session token that is no good any more stands in the way of an open server, too.
      if (this.#store.session.token !== undefined) await this.#forget();
      else this.#askForAccess();
    } else {
      this.#store.change({ isUnreachable: true });
      setTimeout(() => void this.#learnTools(), RECONNECT_MS.max / 4);
    }
  }

  #askForAccess(): void {
    this.#store.keep({ isGuarded: true });
    this.#store.change({ isUnreachable: false, access: this.#accessToken === undefined ? "asked" : "refused" });
  }

  async #lookAtQueue(): Promise<void> {
    if (!this.#isInLine || this.#store.model.connection !== "open") return;
    const seen = await lookAtQueue(
      this.#client,
      () => this.#isInLine,
      () => this.#feed.catchUp(),
    );
    if (seen === "removed") this.#giveUpWaiting({ code: "removed", message: "" });
    else if (seen !== undefined) this.#dispatch({ type: "queue_seen", queue: seen });
  }

  /** Whether this person waits for anybody, not for somebody with a code. */
  get #isInLine(): boolean {
    return this.#state.place === "waiting" && this.#state.code === undefined;
  }

  #giveUpWaiting(problem: NonNullable<Model["problem"]>): void {
    this.#dispatch({ type: "start" });
    this.#store.change({ problem });
  }

  // --- the feed ---------------------------------------------------------------------------------------

  #connected(connection: Connection): void {
    this.#store.change({ connection });
    if (connection === "open") this.#outbox.wake();
  }

  #hear(name: string, data: JsonObject): void {
    const isLive = name === "partner.typing";
    const at = isLive ? Date.now() : Date.parse(textIn(data.timestamp)) || Date.now();
    this.#dispatch({ type: "event", name, data, at });
    if (!isLive) return;
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.#dispatch({ type: "typing_over", at: Date.now() }), TYPING_SHOWN_MS);
  }

  /** Before each stream: where does the server think this person is? */
  async #prepare(): Promise<"go" | "stop" | "later"> {
    const outcome = await this.#client.callTool("chat_status", {});
    if (isNobodys(outcome)) {
      await this.#forget();
      return "stop";
    }
    if (outcome.kind !== "ok") return "later";
    const { status, cursor, room } = outcome.value;
    if (this.#state.cursor === undefined) this.#dispatch({ type: "read", cursor: textIn(cursor) });
    if (status === this.#state.place && (status !== "chatting" || this.#isRoom(room))) return "go";
    // It differs: first what has happened, in its order; what is still different after that, as it is.
    if (!(await this.#feed.catchUp())) return "later";
    if (status === "chatting" && !this.#isRoom(room)) {
      this.#dispatch({ type: "found", room: roomIn(room), at: Date.now() });
    } else if (status !== "chatting" && this.#state.place === "chatting") {
      this.#finish("found_over");
    } else if (status === "idle" && this.#state.place === "waiting") {
      await this.#waitAgain();
    }
    return this.#isPresent ? "go" : "stop";
  }

  #isRoom(room: unknown): boolean {
    return this.#state.room?.roomId === roomIn(room).roomId;
  }

  /** The place in the queue was lost in a break: takes a new one. */
  async #waitAgain(): Promise<void> {
    const { code } = this.#state;
    if (code === undefined) await this.enter();
    else await this.join(code, this.profile);
    const { problem } = this.#store.model;
    if (problem !== undefined && problem.code !== "unreachable") this.#giveUpWaiting(problem);
  }

  async #fillGap(): Promise<void> {
    this.#dispatch({ type: "missed", at: Date.now() });
    const roomId = this.#state.room?.roomId;
    if (roomId === undefined || !this.#has("get_history")) return;
    const outcome = await this.#client.callTool("get_history", { room_id: roomId, limit: 200 });
    if (outcome.kind !== "ok") return;
    const messages = objectsIn(outcome.value.messages);
    this.#dispatch({ type: "history", roomId, messages, me: this.#store.session.userId ?? "" });
  }

  // --- identity ---------------------------------------------------------------------------------------

  /** The server does not know this person any more: it has restarted, or their time is over. */
  async #forget(): Promise<void> {
    const wasWaiting = this.#state.place === "waiting";
    this.#dropIdentity();
    this.#finish("forgotten");
    if (wasWaiting) await this.#waitAgain();
    else await this.#learnTools();
  }

  #dropIdentity(): void {
    this.#feed.stop();
    this.#client.credential = this.#accessToken;
    this.#store.keep({ token: undefined, userId: undefined });
    // A cursor is a place in a mailbox that is gone.
    this.#store.change({ state: { ...this.#state, cursor: undefined } });
    this.#store.keep({ state: this.#state });
  }
}

/** Whether the credential is that of nobody, or of nobody any more. */
function isNobodys(outcome: Outcome): boolean {
  if (outcome.kind === "refused") return outcome.code === "bad_session_token" || outcome.code === "no_session";
  return outcome.kind === "denied";
}

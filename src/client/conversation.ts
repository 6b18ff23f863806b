/**
 * One user's way through the chat, whoever shows it: enters, hears, speaks and leaves, and carries on by
 * itself after a lost network or a restarted server, without losing or doubling a message.
 *
 * This file owns what the client knows of the chat: where its user is, what was heard, what is still to
 * be sent. It must never know a screen, and never show or log the session token.
 */

import { randomUUID } from "node:crypto";
import { CLIENT_NEWS_MS, CLIENT_OUTLOOK_MS, PAST_ROOMS_SEEN_MAX, SEEN_EVENTS_MAX } from "../client-limits.ts";
import type { Clock } from "./clock.ts";
import type { Happening, Outcome, Place, RoomEnd, Wishes } from "./happening.ts";
import type { Outgoing } from "./outbox.ts";
import { Postman } from "./postman.ts";
import { RecentIds } from "./recent-ids.ts";
import { type LinkFault, type LinkOptions, ServerLink } from "./server-link.ts";
import { TypingSign } from "./typing-sign.ts";
import {
  type Answer,
  type ChatEvent,
  isUnknown,
  type JsonObject,
  type Refusal,
  type Room,
  readNotification,
  readStanding,
  type Standing,
} from "./wire.ts";

export interface ConversationOptions extends Omit<LinkOptions, "clock"> {
  readonly clock: Clock;
  /** Of a user who is here already. */
  readonly sessionToken?: string | undefined;
  /** Fresh ids of messages. Default: random ones. */
  readonly newId?: () => string;
}

const LOST: Refusal = {
  code: "unreachable",
  message: "The server cannot be reached just now. Try again when the connection is back.",
  retryAfterMs: undefined,
};
const IDLE: Place = { at: "idle" };

export class Conversation {
  readonly #clock: Clock;
  readonly #tell: (happening: Happening) => void;
  readonly #link: ServerLink;
  readonly #postman: Postman;
  readonly #seen = new RecentIds(SEEN_EVENTS_MAX);
  readonly #pastRooms = new RecentIds(PAST_ROOMS_SEEN_MAX);
  readonly #typing: TypingSign;
  #token: string | undefined;
  #place: Place = IDLE;
  #cursor: string | undefined;
  /** How the queue was entered last, to do it again if the server has forgotten. */
  #entry: { readonly tool: string; readonly args: JsonObject } | undefined;
  #cancelOutlook: () => void = () => undefined;
  #isClosed = false;
  /** Events that came before the answer of the call that made the user, which is told first. */
  #held: ChatEvent[] | undefined;

  constructor(options: ConversationOptions, tell: (happening: Happening) => void) {
    this.#clock = options.clock;
    this.#tell = tell;
    this.#token = options.sessionToken;
    this.#link = new ServerLink(options, {
      notified: (method, params) => this.#notified(method, params),
      opened: (isNewSession) => {
        tell({ type: "connected", isNewSession });
        void this.#catchUp();
      },
      lost: (retryInMs) => tell({ type: "connection_lost", retryInMs }),
      ended: (fault) => tell({ type: "connection_ended", fault }),
    });
    this.#postman = new Postman({
      clock: options.clock,
      newId: options.newId ?? randomUUID,
      call: (tool, args) => this.#call(tool, args),
      // Whether the server has forgotten this user is settled by asking, and the message with it.
      unknown: () => void this.#catchUp(),
      tell,
    });
    this.#typing = new TypingSign(options.clock, (typing) => void this.#sayTyping(typing));
  }

  get place(): Place {
    return this.#place;
  }

  get isConnected(): boolean {
    return this.#link.isOpen;
  }

  /** Messages not acknowledged yet. */
  get unsent(): number {
    return this.#postman.unsent;
  }

  /** Connects. @returns what is wrong if the server cannot be used */
  open(): Promise<LinkFault | undefined> {
    return this.#link.open();
  }

  /** Finds out where a user is who was here before. */
  async follow(): Promise<Outcome> {
    const answer = await this.#call("chat_status", {});
    if (answer.kind !== "success") return refusalOf(answer);
    this.#believe(readStanding(answer.value));
    return undefined;
  }

  /** Joins the queue. */
  enter({ name, interests, kind, partnerKind }: Wishes): Promise<Outcome> {
    return this.#enter("enter_queue", { ...nameArgument(name), interests, kind, partner_kind: partnerKind });
  }

  /** Waits for, or meets, whoever gives the same code. */
  join(code: string, { name, kind }: Wishes): Promise<Outcome> {
    return this.#enter("join_room", { room_code: code, ...nameArgument(name), kind });
  }

  /** Says something to the partner. It is sent now or when the connection is back. */
  say(text: string): Outgoing | "no partner" | "too many" {
    if (this.#place.at !== "chatting") return "no partner";
    const message = this.#postman.post(this.#place.room.roomId, text);
    if (message === undefined) return "too many";
    this.#typing.stop();
    return message;
  }

  /** A key was pressed, or the draft is empty again. The partner is told now and then. */
  typing(isTyping: boolean): void {
    if (this.#place.at === "chatting" && this.isConnected) this.#typing.note(isTyping);
  }

  /** Ends the chat, or the waiting. */
  async leave(): Promise<Outcome> {
    this.#entry = undefined;
    // Whoever stops waiting may have been paired at the same moment, and the other way round.
    const tools = this.#place.at === "waiting" ? ["leave_queue", "leave_chat"] : ["leave_chat", "leave_queue"];
    let answer: Answer = { kind: "lost" };
    for (const tool of tools) {
      answer = await this.#call(tool, {});
      if (answer.kind !== "refused") break;
    }
    if (answer.kind === "lost") return LOST;
    this.#leaveRoom("you_left");
    this.#setPlace(IDLE);
    return undefined;
  }

  /** Ends the chat and never meets the partner again. */
  block(): Promise<Outcome> {
    return this.#part("block_partner", {});
  }

  /** The same, and tells the operator. @param category one of the tool's */
  report(category: string, details: string): Promise<Outcome> {
    return this.#part("report_partner", details === "" ? { category } : { category, details });
  }

  /**
   * Ends everything.
   * @param polite whether the user leaves too, so that the partner hears of it at once
   */
  async close(polite: boolean): Promise<void> {
    if (this.#isClosed) return;
    if (polite && this.#place.at !== "idle") await this.leave();
    this.#isClosed = true;
    this.#postman.stop();
    this.#cancelOutlook();
    this.#typing.stop();
    await this.#link.close(polite);
  }

  // --- calling --------------------------------------------------------------------------------

  /** With the token every call stands for itself, also on a session that was begun a moment ago. */
  #call(tool: string, args: JsonObject): Promise<Answer> {
    const identity = this.#token === undefined ? {} : { session_token: this.#token };
    return this.#link.call(tool, { ...args, ...identity });
  }

  async #enter(tool: string, args: JsonObject): Promise<Outcome> {
    if (this.#token === undefined) this.#held ??= [];
    const answer = await this.#call(tool, args);
    if (isUnknown(answer) && this.#token !== undefined) {
      this.#token = undefined;
      return this.#enter(tool, args);
    }
    if (answer.kind === "success") {
      this.#entry = { tool, args };
      this.#takeToken(readStanding(answer.value));
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#hear(event);
    if (answer.kind !== "success") return refusalOf(answer);
    this.#believe(readStanding(answer.value));
    return undefined;
  }

  async #part(tool: string, args: JsonObject): Promise<Outcome> {
    if (this.#place.at !== "chatting")
      return { code: "not_in_room", message: "You are not in a chat.", retryAfterMs: undefined };
    const answer = await this.#call(tool, { ...args, room_id: this.#place.room.roomId });
    if (answer.kind !== "success") return refusalOf(answer);
    this.#leaveRoom("you_left");
    return undefined;
  }

  async #sayTyping(typing: boolean): Promise<void> {
    if (this.#place.at !== "chatting") return;
    // A sign that is lost or refused is not worth another try.
    await this.#call("set_typing", { room_id: this.#place.room.roomId, typing });
  }

  // --- hearing --------------------------------------------------------------------------------

  #notified(method: string, params: JsonObject): void {
    // How a server tells a legacy client that events were dropped before it read them.
    if (method === "notifications/resources/updated" && params.uri === "chat://inbox") {
      this.#tell({ type: "gap" });
      return;
    }
    const event = readNotification(method, params);
    if (event === undefined) return;
    if (this.#held === undefined) this.#hear(event);
    else this.#held.push(event);
  }

  #hear(event: ChatEvent): void {
    if (event.eventId !== undefined && !this.#seen.add(event.eventId)) return;
    this.#cursor = event.cursor ?? this.#cursor;
    this.#tell({ type: "event", event });
    if (event.name === "chatroom.found") this.#enterRoom(event.room);
    else if (event.name === "partner.disconnected") this.#roomEnded(event.roomId, event.reason);
  }

  /**
   * After a break: who and where is the user? What they missed is brought by the stream; reading it in any
   * other way would count as read for whoever else acts for this user.
   */
  async #catchUp(): Promise<void> {
    if (this.#place.at === "idle" && this.#token === undefined) return;
    const standing = await this.#ask();
    if (standing === undefined) return;
    this.#postman.hurry();
    if (this.#agreesWith(standing)) this.#believe(standing);
    else this.#clock.after(CLIENT_NEWS_MS, () => void this.#catchUpLate());
  }

  /** The stream has had its time to say what happened. */
  async #catchUpLate(): Promise<void> {
    const standing = this.isConnected ? await this.#ask() : undefined;
    if (standing === undefined) return;
    if (!this.#agreesWith(standing)) {
      this.#leaveRoom("missed");
      if (this.#place.at === "waiting") return this.#enterAgain();
    }
    this.#believe(standing);
  }

  /** Where the server sees the user; undefined if it cannot be asked or does not know them. */
  async #ask(): Promise<Standing | undefined> {
    const answer = await this.#call("chat_status", {});
    if (isUnknown(answer)) await this.#startAnew();
    return answer.kind === "success" && !this.#isClosed ? readStanding(answer.value) : undefined;
  }

  #agreesWith({ status, room }: Standing): boolean {
    if (this.#place.at === "chatting") return this.#place.room.roomId === room?.roomId;
    return this.#place.at !== "waiting" || status !== "idle";
  }

  get #currentRoom(): Room | undefined {
    return this.#place.at === "chatting" ? this.#place.room : undefined;
  }

  /** The server knows this user no more: whoever waited waits again, as somebody new. */
  async #startAnew(): Promise<void> {
    this.#token = undefined;
    this.#cursor = undefined;
    this.#tell({ type: "forgotten" });
    this.#leaveRoom("forgotten");
    this.#giveBack(this.#postman.giveUp());
    if (this.#place.at === "waiting") await this.#enterAgain();
  }

  /** Waiting ended on the server's side alone, as when the connection was away for too long. */
  async #enterAgain(): Promise<void> {
    const entry = this.#entry;
    const outcome = entry === undefined ? LOST : await this.#enter(entry.tool, entry.args);
    if (outcome !== undefined) this.#setPlace(IDLE);
  }

  // --- where the user is ------------------------------------------------------------------------

  #takeToken(standing: Standing | undefined): void {
    if (standing?.sessionToken === undefined) return;
    this.#token = standing.sessionToken;
    this.#tell({ type: "token", token: standing.sessionToken });
  }

  /** Takes over what an answer says, which may be older than the latest event. */
  #believe(standing: Standing | undefined): void {
    if (standing === undefined) return;
    if (standing.room !== undefined) this.#enterRoom(standing.room);
    else if (standing.status === "waiting" && this.#place.at !== "chatting") this.#wait(standing);
    else if (standing.status === "idle" && this.#place.at === "waiting") this.#setPlace(IDLE);
  }

  #wait({ position, estimatedWaitSeconds, waiting, online }: Standing): void {
    const before = this.#place.at === "waiting" ? this.#place : undefined;
    const outlook = {
      position,
      estimatedWaitSeconds,
      waiting: waiting ?? before?.outlook.waiting,
      online: online ?? before?.outlook.online,
    };
    this.#setPlace({ at: "waiting", since: before?.since ?? this.#clock.now(), outlook });
    this.#cancelOutlook();
    this.#cancelOutlook = this.#clock.after(CLIENT_OUTLOOK_MS, () => void this.#lookOut());
  }

  async #lookOut(): Promise<void> {
    if (this.#place.at !== "waiting" || this.#isClosed) return;
    const answer = await this.#call("chat_status", {});
    if (this.#isClosed || this.#place.at !== "waiting") return;
    const standing = answer.kind === "success" ? readStanding(answer.value) : undefined;
    // Idle can only mean that a partner was found and is gone again: the events that say so are on their way.
    if (standing !== undefined && standing.status !== "idle") this.#believe(standing);
    else this.#cancelOutlook = this.#clock.after(CLIENT_OUTLOOK_MS, () => void this.#lookOut());
  }

  #enterRoom(room: Room): void {
    if (this.#pastRooms.has(room.roomId) || this.#currentRoom?.roomId === room.roomId) return;
    if (this.#currentRoom !== undefined) this.#leaveRoom("missed");
    this.#setPlace({ at: "chatting", room, since: this.#clock.now() });
  }

  #roomEnded(roomId: string, why: RoomEnd): void {
    if (this.#currentRoom?.roomId === roomId) this.#leaveRoom(why);
    else this.#pastRooms.add(roomId);
  }

  /** Out of the current room, if there is one. What was written for it and not sent is given back. */
  #leaveRoom(why: RoomEnd): void {
    const room = this.#currentRoom;
    if (room === undefined) return;
    this.#pastRooms.add(room.roomId);
    this.#typing.stop();
    const dropped = this.#postman.roomEnded(room.roomId);
    this.#setPlace(IDLE, { room, why });
    this.#giveBack(dropped);
  }

  #giveBack(messages: readonly Outgoing[]): void {
    for (const message of messages) this.#tell({ type: "unsent", message, reason: "The chat is over." });
  }

  #setPlace(place: Place, ended?: { readonly room: Room; readonly why: RoomEnd }): void {
    if (place.at === "idle" && this.#place.at === "idle") return;
    this.#place = place;
    if (place.at !== "waiting") this.#cancelOutlook();
    this.#tell({ type: "place", place, ...(ended === undefined ? {} : { ended }) });
  }
}

function nameArgument(name: string | undefined): JsonObject {
  return name === undefined ? {} : { display_name: name };
}

function refusalOf(answer: Exclude<Answer, { kind: "success" }>): Refusal {
  return answer.kind === "refused" ? answer.refusal : LOST;
}

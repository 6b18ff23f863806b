/**
 * The course of a chat in words: what happened as entries for a person to read.
 *
 * This file owns the wording. A stranger's words stand alone in entries of the stranger's voice and never
 * within a sentence of ours. It must never decide what happens.
 */

import type { Happening, Place, RoomEnd } from "../client/happening.ts";
import type { ChatEvent, Room } from "../client/wire.ts";
import type { Entry } from "./entry.ts";

const ENDS: Readonly<Record<string, string>> = {
  you_left: "You have left the chat.",
  left: "Your partner has left.",
  timeout: "Your partner's connection was lost and they did not come back.",
  blocked: "The chat is over: one of you wanted no more of it.",
  moderation: "The operator of the server has closed this chat.",
  limit: "The server has closed this chat: two agents had talked for long without a person.",
  server: "The server has closed this chat.",
  forgotten: "The server was restarted and has forgotten this chat.",
};

const KINDS = {
  human: "a person",
  agent: "an agent, not a person",
  unknown: "somebody who does not say what they are",
};

const NEXT = "/next meets somebody else, /help shows what else there is.";

export class Narrator {
  readonly #now: () => number;
  #isLost = false;
  #place: Place["at"] = "idle";

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What there is to say about it; often nothing. */
  tell(happening: Happening): Entry[] {
    switch (happening.type) {
      case "event":
        return this.#event(happening.event);
      case "place":
        return this.#moved(happening.place, happening.ended?.why);
      case "connected":
        return this.#connection(false, "The connection is back.");
      case "connection_lost":
        return this.#connection(true, "The connection is lost. Trying again; what you write is kept.");
      case "connection_ended":
        return [this.problem(`The connection has ended: ${happening.fault.message}.`)];
      case "gap":
        return [this.problem("Some messages came too late to be kept by the server and are lost.")];
      case "unsent":
        return [this.problem(`Not sent: ${happening.reason}`)];
      case "forgotten":
        // Whoever chatted hears it as the end of the chat.
        return this.#place === "chatting"
          ? []
          : [this.system("The server does not know you any more, as after a restart.")];
      case "sent":
      case "token":
        return [];
    }
  }

  system(text: string): Entry {
    return { voice: "system", at: this.#now(), text };
  }

  problem(text: string): Entry {
    return { voice: "problem", at: this.#now(), text };
  }

  #connection(isLost: boolean, text: string): Entry[] {
    const isNews = this.#isLost !== isLost;
    this.#isLost = isLost;
    return isNews ? [this.system(text)] : [];
  }

  #moved(place: Place, why: RoomEnd | undefined): Entry[] {
    const before = this.#place;
    this.#place = place.at;
    switch (place.at) {
      case "chatting":
        return this.#met(place.room);
      case "waiting":
        return before === "waiting"
          ? []
          : [this.system("Waiting for a partner. You can write as soon as one is found.")];
      case "idle":
        if (why !== undefined) return [this.system(`${ENDS[why] ?? "The chat is over."} ${NEXT}`)];
        return [this.system(`You are not waiting any more. ${NEXT}`)];
    }
  }

  #met({ partner, sharedInterests }: Room): Entry[] {
    const shared = sharedInterests.length === 0 ? "" : ` You both like ${sharedInterests.join(", ")}.`;
    return [
      this.system(`You are connected with ${KINDS[partner.kind]}.${shared} They call themselves:`),
      { voice: "stranger", at: this.#now(), text: partner.displayName },
    ];
  }

  #event(event: ChatEvent): Entry[] {
    switch (event.name) {
      case "message.received":
        return [{ voice: "stranger", at: this.#timeOf(event), name: event.sender.displayName, text: event.message }];
      case "partner.away":
        return [this.system("Your partner's connection is lost; they may come back.")];
      case "partner.back":
        return [this.system("Your partner is back.")];
      case "server.announcement":
        return [this.system(`The server announces: ${event.message}`)];
      case "chatroom.found":
      case "partner.disconnected":
      case "partner.typing":
        return [];
    }
  }

  #timeOf({ timestamp }: ChatEvent): number {
    const at = Date.parse(timestamp);
    return Number.isNaN(at) ? this.#now() : at;
  }
}

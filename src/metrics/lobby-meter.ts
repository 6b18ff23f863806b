/**
 * Figures of the lobby: what it holds is read when somebody looks, what happens in it is counted as it
 * happens. Of several nodes each counts what happens in the lobby of all.
 *
 * This file owns those counts. It must never change the lobby, and never show who anybody is.
 */
import type { DisconnectReason, LobbyEvent } from "../domain/event.ts";
import type { UserRef } from "../domain/ids.ts";
import type { Lobby } from "../domain/state.ts";
import type { Exposition } from "./exposition.ts";
import { Histogram } from "./histogram.ts";

/** Upper bounds of how long people wait, in seconds: from at once to an hour. */
const WAIT_BUCKETS_S = [0.1, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];

export class LobbyMeter {
  readonly #lobbyNow: () => Lobby;
  #lobby: Lobby;
  /** Since when users wait, in milliseconds; not a number for those who waited before anybody counted. */
  readonly #waitingSince = new Map<UserRef, number>();
  /** Open rooms, and their messages counted so far. */
  readonly #rooms = new Map<string, number>();
  readonly #waits = new Histogram(WAIT_BUCKETS_S);
  readonly #closed: Record<DisconnectReason, number> = {
    left: 0,
    timeout: 0,
    blocked: 0,
    moderation: 0,
    limit: 0,
    server: 0,
  };
  readonly #matches = { queue: 0, code: 0 };
  #messages = 0;
  #created = 0;
  #forgotten = 0;
  #reported = 0;
  #blocked = 0;
  #mailed = 0;
  #handedOut = 0;

  /** @param lobbyNow the lobby; where several nodes share a journal it may be another object later */
  constructor(lobbyNow: () => Lobby) {
    this.#lobbyNow = lobbyNow;
    this.#lobby = lobbyNow();
    this.#takeUp();
  }

  /** Begins with what there is. Of those who wait it may be known since when: from the same lobby before a reload. */
  #takeUp(): void {
    const { rooms, users } = this.#lobby;
    this.#rooms.clear();
    for (const room of rooms.values()) if (room.closed === undefined) this.#rooms.set(room.id, room.seq);
    const known = new Map(this.#waitingSince);
    this.#waitingSince.clear();
    for (const { ref, place } of users.values()) {
      if (place.in === "queue") this.#waitingSince.set(ref, known.get(ref) ?? Number.NaN);
    }
  }

  /** What has happened to another lobby before it took this one's place was heard of by nobody here. */
  #lookAgain(): void {
    const lobby = this.#lobbyNow();
    if (lobby === this.#lobby) return;
    this.#lobby = lobby;
    this.#takeUp();
  }

  /** Events that calls were handed so far. */
  get handedOut(): number {
    return this.#handedOut;
  }

  hear(event: LobbyEvent): void {
    this.#lookAgain();
    switch (event.type) {
      case "mail":
        this.#mailed++;
        return;
      case "posted":
        this.#posted(event.room, event.posted.seq);
        return;
      case "read":
        this.#handedOut += event.to - event.from;
        return;
      case "entered":
        if (event.minted) this.#created++;
        return;
      case "queued":
        this.#waitingSince.set(event.user, this.#lobby.now);
        return;
      case "left_queue":
        this.#waitingSince.delete(event.user);
        return;
      case "matched":
        this.#matched(event.room, event.users);
        return;
      case "room_closed":
        this.#rooms.delete(event.room);
        this.#closed[event.reason]++;
        return;
      case "forgotten":
        this.#waitingSince.delete(event.user);
        this.#forgotten++;
        return;
      case "reported":
        this.#reported++;
        return;
      case "blocked":
        this.#blocked++;
        return;
    }
  }

  /** A repeated call is told again what it did, with the same number. */
  #posted(room: string, seq: number): void {
    const counted = this.#rooms.get(room);
    if (counted === undefined || seq <= counted) return;
    this.#rooms.set(room, seq);
    this.#messages++;
  }

  #matched(room: string, users: readonly UserRef[]): void {
    this.#rooms.set(room, 0);
    const isByCode = this.#lobby.rooms.get(room)?.code !== undefined;
    this.#matches[isByCode ? "code" : "queue"]++;
    for (const user of users) {
      // Who finds somebody at once never waits.
      const waitedMs = this.#lobby.now - (this.#waitingSince.get(user) ?? this.#lobby.now);
      this.#waitingSince.delete(user);
      if (!isByCode && !Number.isNaN(waitedMs)) this.#waits.observe(waitedMs / 1000);
    }
  }

  write(out: Exposition): void {
    this.#lookAgain();
    const lobby = this.#lobby;
    const { settings } = lobby;
    out.gauge("mcp_chat_users", "Users whose record is kept, present or not.", lobby.users.size);
    out.gauge("mcp_chat_users_max", "Most users that are kept.", settings.usersMax);
    out.gauge("mcp_chat_users_online", "Users in queue or room, or with a stream or a held call.", lobby.online);
    out.gauge("mcp_chat_users_waiting", "Users in the queue.", lobby.queue.tickets.size);
    out.gauge("mcp_chat_users_waiting_max", "Most users in the queue.", settings.queueMax);
    out.counter("mcp_chat_users_created_total", "Users made.", this.#created);
    out.counter("mcp_chat_users_forgotten_total", "Users whose record has ended.", this.#forgotten);
    out.gauge("mcp_chat_sessions_bound", "Legacy sessions that belong to a user.", lobby.bindings.size);

    const waits = "How long users waited in the queue who were matched.";
    out.family("mcp_chat_wait_seconds", "histogram", waits, this.#waits.samples());
    const matches = "Pairs formed, from the queue or by a code they shared.";
    out.counters("mcp_chat_matches_total", matches, "by", this.#matches);
    out.gauge("mcp_chat_rooms_open", "Open rooms.", this.#rooms.size);
    out.counters("mcp_chat_rooms_closed_total", "Rooms closed, by reason.", "reason", this.#closed);
    out.counter("mcp_chat_messages_total", "Messages posted; a repeated call posts nothing.", this.#messages);

    out.counter("mcp_chat_mailbox_events_total", "Events put into mailboxes.", this.#mailed);
    out.gauge("mcp_chat_mailbox_bytes", "Size of all mailboxes.", lobby.mailboxBytes);
    out.gauge("mcp_chat_mailbox_bytes_max", "Most bytes of all mailboxes.", settings.mailboxBytesMax);
    out.gauge("mcp_chat_transcript_bytes", "Size of all transcripts.", lobby.transcriptBytes);
    out.gauge("mcp_chat_transcript_bytes_max", "Most bytes of all transcripts.", settings.transcriptBytesMax);

    out.counter("mcp_chat_reports_total", "Reports made.", this.#reported);
    out.counter("mcp_chat_blocks_total", "Partners blocked otherwise than by a report.", this.#blocked);
    out.gauge("mcp_chat_bans", "Bans in force.", lobby.bans.size);
  }
}

/**
 * What was said in a room, kept for its two members while it is open and for a day after, under a
 * bound for each room and one for all of them.
 *
 * This file owns the order in which lines are given up. It must never copy a message: a line is the
 * very event that went into the partner's mailbox.
 */
import { TRANSCRIPT_AGE_MS_MAX, TRANSCRIPT_BYTES_MAX, TRANSCRIPT_MESSAGES_MAX } from "../limits.ts";
import { ArrivalOrder } from "./arrival-order.ts";
import { RankedList } from "./ranked-list.ts";
import { type Refusal, refuse } from "./refusal.ts";
import type { Line, Lobby, Room, Transcripts, User } from "./state.ts";

export function emptyTranscripts(): Transcripts {
  return { rooms: new Map(), open: new RankedList(), closed: new ArrivalOrder() };
}

/** Adds the latest line of an open room. */
export function keepLine(lobby: Lobby, room: Room, line: Line): void {
  const { transcript } = room;
  if (transcript.length === 0) {
    lobby.transcripts.rooms.set(room.number, room);
    lobby.transcripts.open.add(room.number);
  }
  transcript.push(line);
  room.transcriptBytes += line.bytes;
  lobby.transcriptBytes += line.bytes;
  while (
    transcript.length > TRANSCRIPT_MESSAGES_MAX ||
    (room.transcriptBytes > TRANSCRIPT_BYTES_MAX && transcript.length > 1)
  ) {
    dropOldestLine(lobby, room);
  }
  fitTranscripts(lobby);
}

/** Lets transcripts go until all together are in bounds. */
export function fitTranscripts(lobby: Lobby): void {
  while (lobby.transcriptBytes > lobby.settings.transcriptBytesMax) giveUpOldest(lobby);
}

/** Notes that a room has closed: its transcript has a day to live. */
export function ageTranscript(lobby: Lobby, room: Room): void {
  if (lobby.transcripts.open.delete(room.number)) lobby.transcripts.closed.add(room.number);
}

/** Lets a whole transcript go. */
export function dropTranscript(lobby: Lobby, room: Room): void {
  if (room.transcript.length === 0) return;
  lobby.transcriptBytes -= room.transcriptBytes;
  room.transcriptBytes = 0;
  room.transcript.length = 0;
  lobby.transcripts.rooms.delete(room.number);
  lobby.transcripts.open.delete(room.number);
  lobby.transcripts.closed.delete(room.number);
}

/** Takes what somebody wrote out of a transcript; the rest keeps its numbers. */
export function eraseLines(lobby: Lobby, room: Room, userId: string): void {
  const kept = room.transcript.filter(({ body }) => body.sender.userId !== userId);
  if (kept.length === room.transcript.length) return;
  if (kept.length === 0) {
    dropTranscript(lobby, room);
    return;
  }
  const bytes = kept.reduce((sum, line) => sum + line.bytes, 0);
  lobby.transcriptBytes -= room.transcriptBytes - bytes;
  room.transcriptBytes = bytes;
  room.transcript.splice(0, room.transcript.length, ...kept);
}

/** Lets the transcripts go whose day is over. */
export function dropAgedTranscripts(lobby: Lobby): void {
  for (;;) {
    const room = closedLongest(lobby);
    if (room === undefined || agedAt(room) > lobby.now) return;
    dropTranscript(lobby, room);
  }
}

/** When the next transcript goes by itself, or undefined. */
export function nextTranscriptDeadline(lobby: Lobby): number | undefined {
  const room = closedLongest(lobby);
  return room === undefined ? undefined : agedAt(room);
}

/** Some lines of a room, oldest first. */
export interface TranscriptPage {
  readonly lines: readonly Line[];
  /** Whether older ones are kept. */
  readonly hasMore: boolean;
  /** The lowest number that is kept: of older lines nothing is known here. */
  readonly keptFrom: number;
  /** Messages that were said in all. */
  readonly said: number;
}

/**
 * A page of a room's history, oldest line first: own rooms only, open or closed.
 * @param before only lines with a lower number; undefined = up to the latest
 * @param limit lines at most
 * @returns the page, or `room_not_found`
 */
export function readTranscript(
  lobby: Lobby,
  user: User,
  roomId: string,
  before: number | undefined,
  limit: number,
): TranscriptPage | Refusal {
  const room = lobby.rooms.get(roomId);
  if (room?.members.some((member) => member.user === user.ref) !== true) return refuse("room_not_found");
  const { transcript } = room;
  const keptFrom = transcript[0]?.body.seq ?? room.seq + 1;
  const isBefore = ({ body }: Line): boolean => before === undefined || body.seq < before;
  const end = transcript.findLastIndex(isBefore) + 1;
  const start = Math.max(0, end - limit);
  return { lines: transcript.slice(start, end), hasMore: start > 0, keptFrom, said: room.seq };
}

/** Closed rooms lose everything, the longest-closed first; then the longest-open ones their oldest line. */
function giveUpOldest(lobby: Lobby): void {
  const closed = closedLongest(lobby);
  if (closed !== undefined) {
    dropTranscript(lobby, closed);
    return;
  }
  const open = lobby.transcripts.rooms.get(lobby.transcripts.open.first ?? 0);
  if (open === undefined) throw new Error("transcripts weigh more than they hold");
  dropOldestLine(lobby, open);
}

function dropOldestLine(lobby: Lobby, room: Room): void {
  const [oldest] = room.transcript;
  if (oldest === undefined || room.transcript.length === 1) {
    dropTranscript(lobby, room);
    return;
  }
  room.transcript.shift();
  room.transcriptBytes -= oldest.bytes;
  lobby.transcriptBytes -= oldest.bytes;
}

function closedLongest({ transcripts }: Lobby): Room | undefined {
  const { first } = transcripts.closed;
  return first === undefined ? undefined : transcripts.rooms.get(first);
}

function agedAt({ closed }: Room): number {
  return (closed?.at ?? 0) + TRANSCRIPT_AGE_MS_MAX;
}

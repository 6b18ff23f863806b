/**
 * Transcripts in the model: what rooms keep of what was said, counted anew every time.
 *
 * This file owns their bounds. It must never know who may read them.
 */
import type { Participant } from "../../src/domain/event.ts";
import type { Line } from "../../src/domain/state.ts";
import * as limits from "../../src/limits.ts";
import { weigh } from "./lobby-model-mail.ts";
import type { ModelRoom, ModelUser } from "./lobby-model-people.ts";
import type { ModelState } from "./lobby-model-state.ts";

export function transcriptBytesOf({ lines }: ModelRoom): number {
  return lines.reduce((sum, { body }) => sum + weigh(body), 0);
}

export function keepLine(state: ModelState, room: ModelRoom, line: Line): void {
  room.lines.push(line);
  while (
    room.lines.length > limits.TRANSCRIPT_MESSAGES_MAX ||
    (transcriptBytesOf(room) > limits.TRANSCRIPT_BYTES_MAX && room.lines.length > 1)
  ) {
    room.lines.shift();
  }
  giveUpTranscripts(state);
}

/** Brings all transcripts together into their bound. */
export function giveUpTranscripts(state: ModelState): void {
  while (state.rooms.reduce((sum, one) => sum + transcriptBytesOf(one), 0) > state.settings.transcriptBytesMax) {
    const closed = closedInOrder(state);
    if (closed[0] !== undefined) closed[0].lines = [];
    else state.rooms.find((one) => one.lines.length > 0)?.lines.shift();
  }
}

/** Closed rooms that still have something, the one closed first at the front. */
function closedInOrder({ rooms }: ModelState): ModelRoom[] {
  return rooms
    .filter((room) => room.closed !== undefined && room.lines.length > 0)
    .sort((a, b) => (a.closed?.order ?? 0) - (b.closed?.order ?? 0));
}

/** Takes somebody and what they said out of every room they were in. */
export function eraseFromTranscripts({ rooms }: ModelState, user: ModelUser): void {
  const nobody = (): Participant => ({ userId: "", displayName: "Stranger", kind: "unknown" });
  for (const room of rooms) {
    const [a, b] = room.sides;
    if (!room.members.includes(user)) continue;
    room.lines = room.lines.filter(({ body }) => body.sender.userId !== user.userId);
    room.sides = room.members[0] === user ? [nobody(), b] : [a, nobody()];
  }
}

export function dropOldTranscripts({ rooms, now }: ModelState): void {
  for (const room of rooms) if (transcriptEndOf(room) <= now) room.lines = [];
}

/** When the next transcript ends by itself. */
export function nextTranscriptEnd({ rooms }: ModelState): number {
  return Math.min(...rooms.map(transcriptEndOf));
}

function transcriptEndOf({ closed, lines }: ModelRoom): number {
  if (closed === undefined || lines.length === 0) return Number.POSITIVE_INFINITY;
  return closed.at + limits.TRANSCRIPT_AGE_MS_MAX;
}

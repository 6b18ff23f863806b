/**
 * How fast a line moves: how often somebody was lately taken from it, per time in which somebody stood
 * there. Time in which nobody waits says nothing about waiting, so the pace is right both where a line
 * is mostly empty and where it never is. Older takings count less by their number, not by their age, so
 * that a lively line and a quiet one are known equally well.
 *
 * This file owns the estimate. It must never know who stands in the line.
 */
import { PACE_AGE_MS_MAX, PACE_MEMORY } from "../limits.ts";

export interface Pace {
  /** Takings, the older the less. */
  taken: number;
  /** The time in which somebody stood there before these takings, weighed as they are, in milliseconds. */
  stoodMs: number;
  /** Takings in all. */
  takings: number;
  /** When somebody was taken last, in milliseconds. */
  latestAt: number;
  /** From when on the present standing there is not yet in `stoodMs`; undefined if nobody stands there. */
  since: number | undefined;
}

export function unknownPace(): Pace {
  return { taken: 0, stoodMs: 0, takings: 0, latestAt: 0, since: undefined };
}

/** Notes that somebody stands in the line from now on, or nobody any more. Saying it again changes nothing. */
export function noteLine(pace: Pace, isStanding: boolean, now: number): void {
  if (isStanding === (pace.since !== undefined)) return;
  if (pace.since !== undefined) pace.stoodMs += now - pace.since;
  pace.since = isStanding ? now : undefined;
}

/** Notes that somebody who stood there is taken now, while they still count as standing there. */
export function noteTaken(pace: Pace, now: number): void {
  if (pace.since !== undefined) {
    pace.stoodMs += now - pace.since;
    pace.since = now;
  }
  // Both from now on, so that a taking and the time before it weigh the same.
  pace.taken = (pace.taken + 1) * PACE_MEMORY;
  pace.stoodMs *= PACE_MEMORY;
  pace.takings++;
  pace.latestAt = now;
}

/** Whole seconds, from 1, until whoever has this place in the line (1 = next) is taken; null if nothing is known. */
export function secondsUntilTaken(pace: Pace, place: number, now: number): number | null {
  // One taking says nothing about a pace, and a pace of long ago says nothing about now.
  if (pace.takings < 2 || now - pace.latestAt >= PACE_AGE_MS_MAX) return null;
  const stoodMs = pace.stoodMs + (pace.since === undefined ? 0 : now - pace.since);
  // Rounded before it is rounded up, as weights leave crumbs.
  return Math.max(1, Math.ceil(Math.round((place * stoodMs) / pace.taken) / 1000));
}

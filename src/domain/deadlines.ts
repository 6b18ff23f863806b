/**
 * What happens by itself: users' deadlines and the loss of nodes, in the order of their times.
 *
 * This file owns that order and how much of it one step does. It must never know what a deadline is for.
 */
import { DEADLINES_PER_STEP_MAX } from "../limits.ts";
import { nextBanEnd } from "./bans.ts";
import { closeConnections, loseSilentNode, nextLossAt } from "./node-loss.ts";
import { isSeeking, seekAgain } from "./pairing.ts";
import { nextMailDeadline } from "./post-office.ts";
import { lookAt, setTime } from "./presence.ts";
import type { Lobby, Step } from "./state.ts";
import { nextTranscriptDeadline } from "./transcript.ts";

/**
 * Lets time pass: everything whose time has come happens in the order of deadlines, each at its own
 * time, so that it makes no difference how late an entry finds them; a node is lost before what comes to
 * users at the same time. Beyond so many users in one step, the rest are left to the next ones:
 * `nextDeadline` is in the past until then.
 */
export function advance(lobby: Lobby, step: Step, until: number): void {
  let left = DEADLINES_PER_STEP_MAX;
  if (lobby.closing.length > 0) left -= closeConnections(lobby, step, left);
  seekAgain(lobby, step);
  for (;;) {
    const dueAt = lobby.deadlines.earliest ?? Number.POSITIVE_INFINITY;
    const lossAt = nextLossAt(lobby);
    const time = lossAt <= dueAt ? lossAt : dueAt;
    const isOver = time > until || left <= 0;
    setTime(lobby, step, isOver ? until : Math.max(lobby.now, time));
    if (isOver) return;
    if (time === lossAt) {
      loseSilentNode(lobby, step, time);
      left -= closeConnections(lobby, step, left);
      continue;
    }
    const user = lobby.users.get(lobby.deadlines.pop() ?? 0);
    if (user !== undefined && lookAt(lobby, step, user, time)) left--;
  }
}

/** When the next tick is due, in milliseconds, or undefined if nothing will happen by itself. May be early. */
export function nextDeadline(lobby: Lobby): number | undefined {
  if (isSeeking(lobby) || lobby.closing.length > 0) return lobby.now;
  const user = lobby.deadlines.earliest ?? Number.POSITIVE_INFINITY;
  const mail = nextMailDeadline(lobby) ?? Number.POSITIVE_INFINITY;
  const transcript = nextTranscriptDeadline(lobby) ?? Number.POSITIVE_INFINITY;
  const ban = nextBanEnd(lobby) ?? Number.POSITIVE_INFINITY;
  const earliest = Math.min(user, mail, transcript, ban, nextLossAt(lobby));
  return Number.isFinite(earliest) ? earliest : undefined;
}

/** Whether something happens by itself in a step at that time. */
export function isDue(lobby: Lobby, at: number): boolean {
  const next = nextDeadline(lobby);
  return next !== undefined && next <= Math.max(lobby.now, at);
}

/** Whether deadlines that have come are left to the next steps. */
export function isBehind(lobby: Lobby): boolean {
  if (lobby.closing.length > 0) return true;
  return Math.min(lobby.deadlines.earliest ?? Number.POSITIVE_INFINITY, nextLossAt(lobby)) < lobby.now;
}

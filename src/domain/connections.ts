/**
 * What is open of every user: streams and the held call, in which session and at which node. The numbers
 * at users, sessions and nodes change here together.
 *
 * This file owns that bookkeeping. It must never decide what follows for anybody's presence, and costs a
 * server without a cluster nothing but the numbers.
 */
import type { SessionKey } from "./ids.ts";
import type { Attachment, Binding, Hold, Lobby, LobbyNode, Step, User } from "./state.ts";

/** Counts a stream that has opened at the step's node. False if it names a session that is not this user's. */
export function countOpened(lobby: Lobby, step: Step, user: User, session: SessionKey | undefined): boolean {
  const binding = session === undefined ? undefined : lobby.bindings.get(session);
  if (session !== undefined && binding?.user !== user.ref) return false;
  user.streams++;
  if (binding !== undefined) binding.streams++;
  if (step.node === undefined) return true;
  const attachment = attachmentAt(step.node, user);
  attachment.streams++;
  if (session === undefined) return true;
  attachment.sessions ??= new Map();
  attachment.sessions.set(session, (attachment.sessions.get(session) ?? 0) + 1);
  return true;
}

/** Counts a stream that has closed at the step's node. False if no such stream is open there. */
export function countClosed(lobby: Lobby, step: Step, user: User, session: SessionKey | undefined): boolean {
  if (step.node === undefined) return countClosedAnywhere(lobby, user, session);
  const attachment = step.node.attached.get(user.ref);
  if (attachment === undefined) return false;
  const { sessions } = attachment;
  if (session === undefined) {
    if (attachment.streams <= sumOf(sessions)) return false;
  } else {
    const open = sessions?.get(session) ?? 0;
    const binding = lobby.bindings.get(session);
    if (sessions === undefined || open === 0 || binding?.user !== user.ref) return false;
    setCount(sessions, session, open - 1);
    binding.streams--;
  }
  attachment.streams--;
  user.streams--;
  letGoIfIdle(step.node, user, attachment);
  return true;
}

/** The same where there are no nodes. */
function countClosedAnywhere(lobby: Lobby, user: User, session: SessionKey | undefined): boolean {
  if (session === undefined) {
    if (user.streams <= streamsOfSessions(lobby, user)) return false;
  } else {
    const binding = lobby.bindings.get(session);
    if (binding?.user !== user.ref || binding.streams === 0) return false;
    binding.streams--;
  }
  user.streams--;
  return true;
}

/** Closes all streams of a session that is about to be untied, on every node. Returns how many there were. */
export function countSessionClosed(lobby: Lobby, user: User, session: SessionKey, binding: Binding): number {
  const { streams } = binding;
  binding.streams = 0;
  user.streams -= streams;
  if (streams === 0) return 0;
  for (const node of nodesWithConnections(lobby)) {
    const attachment = node.attached.get(user.ref);
    const open = attachment?.sessions?.get(session) ?? 0;
    if (attachment === undefined || open === 0) continue;
    attachment.streams -= open;
    attachment.sessions?.delete(session);
    letGoIfIdle(node, user, attachment);
  }
  return streams;
}

/** Everything of a user's at one node is closed. Returns how many streams there were, and the held call. */
export function countAllClosedAt(
  lobby: Lobby,
  user: User,
  { streams, sessions, holds }: Attachment,
): { readonly streams: number; readonly hold: Hold | undefined } {
  user.streams -= streams;
  for (const [session, open] of sessions ?? []) {
    const binding = lobby.bindings.get(session);
    if (binding !== undefined) binding.streams -= open;
  }
  const { hold } = user;
  if (!holds) return { streams, hold: undefined };
  user.hold = undefined;
  return { streams, hold };
}

/** Everything of a user's is closed, wherever it was. */
export function countAllClosed(lobby: Lobby, user: User): void {
  user.streams = 0;
  user.hold = undefined;
  for (const session of user.sessions) {
    const binding = lobby.bindings.get(session);
    if (binding !== undefined) binding.streams = 0;
  }
  for (const node of nodesWithConnections(lobby)) node.attached.delete(user.ref);
}

/** A call is held at the step's node from now on. */
export function holdCall(step: Step, user: User, hold: Hold): void {
  user.hold = hold;
  if (step.node !== undefined) attachmentAt(step.node, user).holds = true;
}

/** The held call is held no more, wherever it was. */
export function letGoOfCall(lobby: Lobby, user: User): void {
  const { hold } = user;
  user.hold = undefined;
  if (hold?.node === undefined) return;
  for (const node of nodesWithConnections(lobby)) {
    const attachment = node.attached.get(user.ref);
    if (attachment?.holds !== true) continue;
    attachment.holds = false;
    letGoIfIdle(node, user, attachment);
  }
}

/** Open streams of a user that are of a session. */
export function streamsOfSessions(lobby: Lobby, user: User): number {
  let streams = 0;
  for (const session of user.sessions) streams += lobby.bindings.get(session)?.streams ?? 0;
  return streams;
}

function* nodesWithConnections(lobby: Lobby): Generator<LobbyNode, void, undefined> {
  yield* lobby.nodes.values();
  yield* lobby.closing;
}

function attachmentAt(node: LobbyNode, user: User): Attachment {
  const known = node.attached.get(user.ref);
  if (known !== undefined) return known;
  const attachment: Attachment = { streams: 0, sessions: undefined, holds: false };
  node.attached.set(user.ref, attachment);
  return attachment;
}

function letGoIfIdle(node: LobbyNode, user: User, { streams, holds }: Attachment): void {
  if (streams === 0 && !holds) node.attached.delete(user.ref);
}

function setCount(counts: Map<SessionKey, number>, session: SessionKey, count: number): void {
  if (count === 0) counts.delete(session);
  else counts.set(session, count);
}

function sumOf(counts: ReadonlyMap<SessionKey, number> | undefined): number {
  let sum = 0;
  if (counts !== undefined) for (const count of counts.values()) sum += count;
  return sum;
}

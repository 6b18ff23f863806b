/**
 * What the lobby and its model look like, in lines that can be compared, and whether they look the
 * same, found out without drawing them.
 *
 * This file owns what counts as a difference. It must never know why something should be as it is.
 */
import { outlook, ticketOf } from "../../src/domain/pairing.ts";
import type { Lobby, Met, Room, User } from "../../src/domain/state.ts";
import { sessionReadFrom } from "../../src/domain/users.ts";
import type { LobbyModel } from "./lobby-model.ts";
import { bytesOf } from "./lobby-model-mail.ts";
import { isOnline, type ModelMet, type ModelRoom, type ModelUser, positionOf } from "./lobby-model-people.ts";
import { transcriptBytesOf } from "./lobby-model-transcripts.ts";

// --- the same, quickly --------------------------------------------------------------------------

/** Whether both pictures below are the same. */
export function looksAsExpected(lobby: Lobby, model: LobbyModel): boolean {
  const { now, rooms, users } = model.state;
  if (lobby.now !== now || lobby.users.size !== users.length || lobby.rooms.size !== rooms.length) return false;
  let online = 0;
  let bytes = 0;
  for (const expected of users) {
    const real = lobby.users.get(expected.ref);
    if (real === undefined || !isAsExpected(lobby, real, model, expected)) return false;
    if (isOnline(expected)) online++;
    bytes += real.mailbox.bytes;
  }
  for (const expected of rooms) {
    const room = lobby.rooms.get(expected.id);
    if (room === undefined || !isRoomAsExpected(room, expected)) return false;
  }
  return lobby.online === online && lobby.mailboxBytes === bytes && nodesOf(lobby) === nodesOfModel(model);
}

function isRoomAsExpected(real: Room, expected: ModelRoom): boolean {
  return (
    real.seq === expected.seq &&
    real.closed?.at === expected.closed?.at &&
    real.closed?.reason === expected.closed?.reason &&
    real.code === expected.code &&
    real.createdAt === expected.openedAt &&
    sameList(real.sharedInterests, expected.sharedInterests) &&
    real.transcript.length === expected.lines.length &&
    real.transcript[0]?.body.seq === expected.lines[0]?.body.seq &&
    real.transcriptBytes === transcriptBytesOf(expected)
  );
}

function isAsExpected(lobby: Lobby, real: User, model: LobbyModel, expected: ModelUser): boolean {
  const { mailbox: mail, hold, place } = real;
  const { waiting } = expected;
  const ticket = ticketOf(lobby, real);
  return (
    real.userId === expected.userId &&
    real.displayName === expected.name &&
    real.kind === expected.kind &&
    real.partnerKind === expected.wants &&
    sameList(real.interests, expected.interests) &&
    (place.in === "room" ? place.room.id : undefined) === expected.room?.id &&
    (place.in === "meeting" ? place.code : undefined) === expected.code &&
    real.address === expected.address &&
    ticket?.available === waiting?.available &&
    ticket?.open === waiting?.open &&
    (ticket?.open !== false || ticket.holdsOutUntil === waiting?.opensAt) &&
    (ticket?.available !== true || outlook(lobby, ticket).position === positionOf(expected, model.users)) &&
    real.streams === expected.streams.length &&
    mail.epoch === expected.epoch &&
    hold?.number === expected.hold?.number &&
    hold?.from === expected.hold?.from &&
    hold?.session === expected.hold?.session &&
    hold?.node === expected.hold?.node &&
    real.lastCallAt === expected.lastCall &&
    real.awaySince === expected.awaySince &&
    real.lastActivityAt === expected.lastActivity &&
    real.offlineSince === expected.offlineSince &&
    mail.head === expected.head &&
    mail.events.length === expected.mail.length &&
    mail.bytes === bytesOf(expected) &&
    mail.acknowledged === expected.acknowledged &&
    mail.returned === expected.returned &&
    mail.written === expected.written &&
    real.streamRead === expected.streamRead &&
    real.sessions.length === expected.sessions.length &&
    expected.sessions.every(
      ({ key, read }, i) =>
        real.sessions[i] === key &&
        sessionReadFrom(lobby, key)?.from === Math.max(read, expected.acknowledged) &&
        lobby.bindings.get(key)?.streams === expected.streams.filter(({ session }) => session === key).length,
    ) &&
    real.pastRooms.length === expected.pastRooms.length &&
    expected.pastRooms.every(({ id }, i) => real.pastRooms[i] === id) &&
    real.recentPartners.length === expected.recentPartners.length &&
    expected.recentPartners.every((met, i) => isSameMet(real.recentPartners[i], met)) &&
    (real.blocked?.size ?? 0) === expected.blocked.length &&
    expected.blocked.every(({ ref, address }) => real.blocked?.has(ref) && real.blocked.get(ref) === address)
  );
}

function isSameMet(real: Met | undefined, expected: ModelMet): boolean {
  return real?.user === expected.ref && real.address === expected.address;
}

function sameList<T>(one: readonly T[], other: readonly T[]): boolean {
  return one === other || (one.length === other.length && one.every((item, i) => item === other[i]));
}

// --- pictures -----------------------------------------------------------------------------------

/** Everything that is to be the same, one line for the whole and one for each user. */
export function pictureOf(lobby: Lobby): string {
  const rooms = [...lobby.rooms.values()].map(
    (room) =>
      `${room.id}:${room.seq}:${room.closed?.at} ${room.closed?.reason} by ${room.code} at ${room.createdAt} ` +
      `[${room.sharedInterests}] kept ${room.transcript.length} from ${room.transcript[0]?.body.seq} ${room.transcriptBytes};`,
  );
  let picture = `now ${lobby.now} online ${lobby.online} bytes ${lobby.mailboxBytes} rooms ${rooms.sort().join(" ")}`;
  picture += `\n${nodesOf(lobby)}`;
  for (const user of lobby.users.values()) picture += `\n${lineOf(lobby, user)}`;
  return picture;
}

export function pictureOfModel(model: LobbyModel): string {
  const rooms = model.state.rooms.map(
    (room) =>
      `${room.id}:${room.seq}:${room.closed?.at} ${room.closed?.reason} by ${room.code} at ${room.openedAt} ` +
      `[${room.sharedInterests}] kept ${room.lines.length} from ${room.lines[0]?.body.seq} ${transcriptBytesOf(room)};`,
  );
  const online = model.users.filter((user) => isOnline(user)).length;
  const bytes = model.users.reduce((sum, user) => sum + bytesOf(user), 0);
  let picture = `now ${model.state.now} online ${online} bytes ${bytes} rooms ${rooms.sort().join(" ")}`;
  picture += `\n${nodesOfModel(model)}`;
  for (const user of model.users) picture += `\n${lineOfModel(model, user)}`;
  return picture;
}

/** The nodes of a cluster and what is open there, in the order of joining; "" where there never was one. */
function nodesOf(lobby: Lobby): string {
  if (lobby.nextNode === 1) return "";
  let picture = `rules ${lobby.rules} ended ${[...lobby.endedNodes]}`;
  for (const { id, n, heardAt, rules, attached } of lobby.nodes.values()) {
    const lines = [...attached].map(([ref, { streams, sessions, holds }]) => {
      const bySession = [...(sessions ?? [])].map(([session, count]) => `${session}:${count}`).sort();
      return `${ref}:${streams} ${bySession}${holds ? " holds" : ""}`;
    });
    picture += `; ${id} ${n} ${heardAt} ${rules} [${lines.sort()}]`;
  }
  return picture;
}

function nodesOfModel({ state, users }: LobbyModel): string {
  const { nodes, endedNodes, rules } = state;
  if (nodes.length === 0 && endedNodes.length === 0 && rules === 0) return "";
  let picture = `rules ${rules} ended ${endedNodes}`;
  for (const { id, latest, heardAt, rules: known } of nodes) {
    const lines = users.flatMap((user) => {
      const open = user.streams.filter(({ node }) => node === id);
      const holds = user.hold?.node === id;
      if (open.length === 0 && !holds) return [];
      const counts = new Map<string, number>();
      for (const { session } of open) if (session !== undefined) counts.set(session, (counts.get(session) ?? 0) + 1);
      const bySession = [...counts].map(([session, count]) => `${session}:${count}`).sort();
      return [`${user.ref}:${open.length} ${bySession}${holds ? " holds" : ""}`];
    });
    picture += `; ${id} ${latest} ${heardAt} ${known} [${lines.sort()}]`;
  }
  return picture;
}

function lineOf(lobby: Lobby, user: User): string {
  const { mailbox: mail, hold, place } = user;
  const ticket = ticketOf(lobby, user);
  const where =
    ticket !== undefined
      ? `waits ${ticket.available ? outlook(lobby, ticket).position : "absent"} ${ticket.open ? "open" : ticket.holdsOutUntil}`
      : place.in === "room"
        ? `in ${place.room.id}`
        : place.in === "meeting"
          ? `meets by ${place.code}`
          : "nowhere";
  const met = user.recentPartners.map(({ user: ref, address }) => `${ref}@${address}`);
  const blocked = [...(user.blocked ?? [])].map(([ref, address]) => `${ref}@${address}`).sort();
  const sessions = user.sessions.map(
    (session) => `${session}:${sessionReadFrom(lobby, session)?.from}/${lobby.bindings.get(session)?.streams}`,
  );
  return (
    `${user.ref} ${user.userId} ${user.displayName} ${user.kind} for ${user.partnerKind} [${user.interests}] ${where} from ${user.address}; ` +
    `epoch ${mail.epoch} streams ${user.streams} ` +
    `hold ${hold?.number} ${hold?.from} ${hold?.session} ${hold?.node} called ${user.lastCallAt} ` +
    `away ${user.awaySince} active ${user.lastActivityAt} offline ${user.offlineSince}; ` +
    `mail ${mail.head} kept ${mail.events.length} bytes ${mail.bytes} ` +
    `read ${mail.acknowledged} ${mail.returned} ${mail.written} ${user.streamRead}; ` +
    `sessions ${sessions} past ${user.pastRooms} recent ${met} blocked ${blocked}`
  );
}

function lineOfModel(model: LobbyModel, user: ModelUser): string {
  const { hold, waiting } = user;
  const where =
    waiting !== undefined
      ? `waits ${waiting.available ? positionOf(user, model.users) : "absent"} ${waiting.open ? "open" : waiting.opensAt}`
      : user.room !== undefined
        ? `in ${user.room.id}`
        : user.code !== undefined
          ? `meets by ${user.code}`
          : "nowhere";
  const met = user.recentPartners.map(({ ref, address }) => `${ref}@${address}`);
  const blocked = user.blocked.map(({ ref, address }) => `${ref}@${address}`).sort();
  const sessions = user.sessions.map(({ key, read }) => {
    const streams = user.streams.filter(({ session }) => session === key).length;
    return `${key}:${Math.max(read, user.acknowledged)}/${streams}`;
  });
  return (
    `${user.ref} ${user.userId} ${user.name} ${user.kind} for ${user.wants} [${user.interests}] ${where} from ${user.address}; ` +
    `epoch ${user.epoch} streams ${user.streams.length} ` +
    `hold ${hold?.number} ${hold?.from} ${hold?.session} ${hold?.node} called ${user.lastCall} ` +
    `away ${user.awaySince} active ${user.lastActivity} offline ${user.offlineSince}; ` +
    `mail ${user.head} kept ${user.mail.length} bytes ${bytesOf(user)} ` +
    `read ${user.acknowledged} ${user.returned} ${user.written} ${user.streamRead}; ` +
    `sessions ${sessions} past ${user.pastRooms.map(({ id }) => id)} recent ${met} blocked ${blocked}`
  );
}

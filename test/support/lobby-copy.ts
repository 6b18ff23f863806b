/**
 * A second lobby in the same state, so that one state can be left in many directions without walking
 * to it anew each time.
 *
 * This file owns copying for tests. A copy has no stale hints in its heaps: whoever relies on copies
 * also walks some of the ways step by step.
 */
import { createLobby } from "../../src/domain/lobby.ts";
import { RankedList } from "../../src/domain/ranked-list.ts";
import type { Allowances, BanGroup, Lobby, LobbyNode, Place, Room, RoomMember, User } from "../../src/domain/state.ts";

export function copyLobby(lobby: Lobby): Lobby {
  const copy = createLobby(lobby.settings);
  copy.inherited = lobby.inherited;
  copy.now = lobby.now;
  copy.sessionsValidFrom = lobby.sessionsValidFrom;
  copy.online = lobby.online;
  copy.mailboxBytes = lobby.mailboxBytes;
  copy.rules = lobby.rules;
  copy.nextNode = lobby.nextNode;
  copy.nextUser = lobby.nextUser;
  copy.nextHold = lobby.nextHold;
  copy.nextRoom = lobby.nextRoom;
  copy.nextAct = lobby.nextAct;
  copy.transcriptBytes = lobby.transcriptBytes;
  for (const [id, room] of lobby.rooms) copy.rooms.set(id, copyRoom(room));
  for (const [ref, user] of lobby.users) {
    const twin = copyUser(user, copy);
    copy.users.set(ref, twin);
    copy.userOrder.add(ref);
    copy.byUserId.set(user.userId, ref);
    copy.byToken.set(user.tokenHash, ref);
    if (Number.isFinite(user.checkAt)) copy.deadlines.push(user.checkAt, ref);
    const [oldest] = user.mailbox.events;
    if (oldest !== undefined) copy.mailAges.push(oldest.at, ref);
  }
  for (const [session, binding] of lobby.bindings) copy.bindings.set(session, { ...binding });
  for (const [session, issuedAt] of lobby.endedSessions) copy.endedSessions.set(session, issuedAt);
  for (const ref of lobby.offline) copy.offline.add(ref);
  for (const [code, meeting] of lobby.meetings) copy.meetings.set(code, meeting);
  for (const node of lobby.nodes.values()) copy.nodes.set(node.id, copyNode(node));
  copy.closing.push(...lobby.closing.map(copyNode));
  for (const id of lobby.endedNodes) copy.endedNodes.add(id);
  copyTranscripts(lobby, copy);
  copyModeration(lobby, copy);
  copyQueue(lobby, copy);
  return copy;
}

function copyNode(node: LobbyNode): LobbyNode {
  const attached = [...node.attached].map(([ref, attachment]) => {
    const { sessions } = attachment;
    return [ref, { ...attachment, sessions: sessions === undefined ? undefined : new Map(sessions) }] as const;
  });
  return { ...node, attached: new Map(attached) };
}

function copyRoom(room: Room): Room {
  const copyMember = (member: RoomMember): RoomMember => ({
    ...member,
    answers: member.answers === undefined ? undefined : new Map(member.answers),
  });
  const members = [copyMember(room.members[0]), copyMember(room.members[1])] as const;
  return { ...room, members, transcript: [...room.transcript] };
}

function copyTranscripts({ transcripts }: Lobby, { rooms, transcripts: copy }: Lobby): void {
  for (const room of rooms.values()) if (room.transcript.length > 0) copy.rooms.set(room.number, room);
  fill(copy.open, transcripts.open);
  for (const number of transcripts.closed) copy.closed.add(number);
}

function copyModeration(lobby: Lobby, copy: Lobby): void {
  for (const [id, report] of lobby.reports) copy.reports.set(id, { ...report });
  copy.audit.push(...lobby.audit);
  const { banned, addresses } = copy;
  banned.next = lobby.banned.next;
  for (const [id, ban] of lobby.bans) {
    copy.bans.set(id, ban);
    banned.byNumber.set(ban.number, ban);
    banned.ends.push(ban.until, ban.number);
  }
  copyGroups(lobby.banned.byUserId, banned.byUserId);
  copyGroups(lobby.banned.byAddress, banned.byAddress);
  addresses.next = lobby.addresses.next;
  for (const [address, use] of lobby.addresses.byAddress) {
    const twin = { ...use, ...copyAllowances(use) };
    addresses.byAddress.set(address, twin);
    addresses.byNumber.set(use.number, twin);
    addresses.restored.push(0, use.number);
  }
}

function copyGroups(groups: ReadonlyMap<string, BanGroup>, copy: Map<string, BanGroup>): void {
  for (const [key, group] of groups) copy.set(key, { bans: new Set(group.bans), until: group.until });
}

function copyAllowances({ messages, entries, joins, reports }: Allowances): Allowances {
  const twin = (bucket: Allowances["messages"]) => (bucket === undefined ? undefined : { ...bucket });
  return { messages: twin(messages), entries: twin(entries), joins: twin(joins), reports: twin(reports) };
}

function copyUser(user: User, copy: Lobby): User {
  return {
    ...user,
    place: copyPlace(user.place, copy),
    mailbox: { ...user.mailbox, events: [...user.mailbox.events] },
    sessions: [...user.sessions],
    pastRooms: [...user.pastRooms],
    recentPartners: [...user.recentPartners],
    blocked: user.blocked === undefined ? undefined : new Map(user.blocked),
    blockedAddresses: user.blockedAddresses === undefined ? undefined : new Set(user.blockedAddresses),
    ...copyAllowances(user),
  };
}

function copyPlace(place: Place, copy: Lobby): Place {
  if (place.in !== "room") return place;
  const room = copy.rooms.get(place.room.id);
  if (room === undefined) throw new Error("a user is in a room the lobby does not know");
  return { in: "room", room };
}

function copyQueue({ queue }: Lobby, { queue: copy }: Lobby): void {
  copy.nextTicket = queue.nextTicket;
  for (const [number, ticket] of queue.tickets) copy.tickets.set(number, { ...ticket });
  fill(copy.keptApart, queue.keptApart);
  copy.apartSeen = queue.apartSeen;
  copy.apartAgain = queue.apartAgain;
  for (const number of queue.owed) copy.owed.add(number);
  queue.classes.forEach((lists, c) => {
    const twins = copy.classes[c];
    if (twins === undefined) return;
    Object.assign(twins.pace, lists.pace);
    fill(twins.available, lists.available);
    fill(twins.open, lists.open);
    for (const [interest, line] of lists.byInterest) twins.byInterest.set(interest, fill(new RankedList(), line));
  });
}

function fill(list: RankedList, from: RankedList): RankedList {
  if (from.size > 0) for (const number of from) list.add(number);
  return list;
}

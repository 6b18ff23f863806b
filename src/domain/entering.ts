/**
 * Coming in: to the queue or to a meeting by code, as a user who is known or as a new one.
 *
 * This file owns the order in which somebody is refused: whose call it is, bans, where they are, rates,
 * and only then what others have to do with it. It must never choose partners.
 */
import { refuseBanned } from "./bans.ts";
import { asUser } from "./calls.ts";
import type { Command, Rated } from "./command.ts";
import { identify } from "./identity.ts";
import { isTaken, joinMeeting } from "./meetings.ts";
import { isQueueFullFor, joinQueue, newcomerAt } from "./pairing.ts";
import { settle } from "./presence.ts";
import { pay, tooOften } from "./rates.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { bindSession } from "./sessions.ts";
import type { Description, Lobby, Step, User } from "./state.ts";
import { createUser, makeRoomForUser, UNDESCRIBED } from "./users.ts";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;
type Entering = Of<"enter_queue"> | Of<"join_room">;

export function enterQueue(lobby: Lobby, step: Step, command: Of<"enter_queue">): Refusal | undefined {
  const { caller, userId } = command;
  const known = identify(lobby, caller);
  if (known !== undefined) {
    return asUser(lobby, step, caller, (user) => {
      const banned = refuseBanned(lobby, user.userId, user.address);
      if (banned !== undefined) return banned;
      if (user.place.in !== "nowhere") {
        settle(lobby, step, user);
      } else {
        if (userId !== undefined && userId !== user.userId) return refuse("identity_conflict");
        const often = tooOften(lobby, "entries", user, caller.address);
        if (often !== undefined) return often;
        const description = describe(command, user);
        if (isQueueFullFor(lobby, description, user)) return refuse("queue_full");
        Object.assign(user, description);
        pay(lobby, "entries", user, caller.address);
        joinQueue(lobby, step, user);
      }
      step.events.push({ type: "entered", user: user.ref, minted: false });
      return undefined;
    });
  }
  return enterAsNew(lobby, step, command, "entries", {
    refuse: () => {
      if (userId !== undefined && lobby.byUserId.has(userId)) return refuse("user_id_taken");
      const isFull = isQueueFullFor(lobby, describe(command, UNDESCRIBED), newcomerAt(caller.address));
      return isFull ? refuse("queue_full") : undefined;
    },
    enter: (user) => joinQueue(lobby, step, user),
  });
}

export function joinRoom(lobby: Lobby, step: Step, command: Of<"join_room">): Refusal | undefined {
  const { caller, code } = command;
  const known = identify(lobby, caller);
  if (known !== undefined) {
    return asUser(lobby, step, caller, (user) => {
      const refusal =
        refuseBanned(lobby, user.userId, user.address) ??
        (user.place.in === "nowhere" ? undefined : refuse("busy")) ??
        tooOften(lobby, "joins", user, caller.address) ??
        (isTaken(lobby, code, user) ? refuse("room_full") : undefined);
      if (refusal !== undefined) return refusal;
      Object.assign(user, describe(command, user));
      pay(lobby, "joins", user, caller.address);
      joinMeeting(lobby, step, user, code);
      step.events.push({ type: "entered", user: user.ref, minted: false });
      return undefined;
    });
  }
  return enterAsNew(lobby, step, command, "joins", {
    refuse: () => (isTaken(lobby, code, newcomerAt(caller.address)) ? refuse("room_full") : undefined),
    enter: (user) => joinMeeting(lobby, step, user, code),
  });
}

/** Makes a user of whoever shows no identity, and lets them in. */
function enterAsNew(
  lobby: Lobby,
  step: Step,
  command: Entering,
  rated: Rated,
  way: { readonly refuse: () => Refusal | undefined; readonly enter: (user: User) => void },
): Refusal | undefined {
  const { caller } = command;
  const userId = "userId" in command ? command.userId : undefined;
  const refusal =
    refuseBanned(lobby, userId, caller.address) ?? tooOften(lobby, rated, undefined, caller.address) ?? way.refuse();
  if (refusal !== undefined) return refusal;
  if (!makeRoomForUser(lobby, step)) return refuse("server_full");
  const description = describe(command, UNDESCRIBED);
  const user = createUser(lobby, step, command.newToken, { userId, description, address: caller.address });
  step.events.push({ type: "entered", user: user.ref, minted: true });
  if (caller.session !== undefined) bindSession(lobby, step, caller.session, user);
  pay(lobby, rated, user, caller.address);
  way.enter(user);
  settle(lobby, step, user);
  return undefined;
}

/** What the caller says about themselves; what they leave out stays as it was. */
function describe(said: Partial<Description> | Entering, known: Description): Description {
  return {
    displayName: said.displayName ?? known.displayName,
    kind: said.kind ?? known.kind,
    partnerKind: ("partnerKind" in said ? said.partnerKind : undefined) ?? known.partnerKind,
    interests: ("interests" in said ? said.interests : undefined) ?? known.interests,
  };
}

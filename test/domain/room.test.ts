/**
 * Rooms: opening, talking, retries, limits, closing.
 *
 * This file owns the R rules.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { KINDS } from "../../src/domain/command.ts";
import { CLIENT_MESSAGE_IDS_MAX, PAST_ROOMS_MAX } from "../../src/limits.ts";
import { LobbyDriver } from "../support/lobby-driver.ts";
import { limited } from "../support/lobby-rates.ts";

/** Ann and Bob, who have just met. */
function met(settings: ConstructorParameters<typeof LobbyDriver>[0] = {}): LobbyDriver {
  const driver = new LobbyDriver(settings);
  driver.meet("ann", "bob");
  return driver;
}

describe("opening", () => {
  test("R1: two who meet are told of each other as they are then", () => {
    const { enter, user, roomOf, where } = new LobbyDriver();
    enter("ann", { interests: ["tea", "go"], kind: "human" });
    enter("bob", { interests: ["go", "jazz", "tea"], kind: "agent" });
    const room = roomOf("ann");
    expect(roomOf("bob")).toBe(room);
    const told = (name: string) => user(name).mailbox.events.map(({ body }) => body);
    const [ann, bob] = [user("ann"), user("bob")];
    expect(told("ann")).toEqual([
      {
        name: "chatroom.found",
        room: room.id,
        partner: { userId: bob.userId, displayName: "bob", kind: "agent" },
        sharedInterests: ["tea", "go"],
      },
    ]);
    expect(told("bob")).toEqual([
      {
        name: "chatroom.found",
        room: room.id,
        partner: { userId: ann.userId, displayName: "ann", kind: "human" },
        sharedInterests: ["tea", "go"],
      },
    ]);
    expect([where("ann"), where("bob")]).toEqual(["with bob", "with ann"]);
  });

  test("R1: nobody meets themselves, however often they enter", () => {
    const { enter, open, look, where } = new LobbyDriver();
    for (let i = 0; i < 3; i++) {
      enter("ann");
      open("ann");
      look("ann");
    }
    expect(where("ann")).toBe("waiting");
  });

  test("R1: two rooms opened in one step have different ids", () => {
    const { meet, leave, enter, roomOf, where } = new LobbyDriver({ widenMs: 500_000 });
    meet("ann", "bob");
    leave("ann");
    enter("cat", { interests: ["tea"] });
    meet("ann", "bob");
    expect(where("ann")).toBe("waiting");
    // Dan takes Cat away, so that Ann and Bob meet again in the same step.
    enter("dan", { interests: ["tea"] });
    expect([where("dan"), where("ann")]).toEqual(["with cat", "with bob"]);
    expect(roomOf("ann").id).not.toBe(roomOf("cat").id);
  });
});

describe("talking", () => {
  test("R2: messages are numbered from 1 without gaps, whoever sends them", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("ann", "bob"), { maxLength: 30 }), (senders) => {
        const { send, mailOf } = met();
        const numbers = senders.map((name) => send(name, "hi").posted?.seq);
        expect(numbers).toEqual(senders.map((_, i) => i + 1));
        for (const name of ["ann", "bob"]) {
          const heard = senders.flatMap((sender, i) => (sender === name ? [] : [`${i + 1}: hi`]));
          expect(mailOf(name).slice(1)).toEqual(heard);
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test("R2: a refused message takes no number", () => {
    const { send, at } = met({ rates: limited({ messages: { perSecond: 1, burst: 1 } }) });
    expect(send("ann", "one").posted?.seq).toBe(1);
    expect(send("ann", "more").refusal).toBe("rate_limited");
    expect(send("bob", "two").posted?.seq).toBe(2);
    at(1000);
    expect(send("ann", "three").posted?.seq).toBe(3);
  });

  test("R3: a message reaches the partner and never the sender", () => {
    const { send, mailOf, user, roomOf } = met();
    const { posted } = send("ann", "hello");
    expect(mailOf("ann")).toEqual(["found bob"]);
    expect(mailOf("bob")).toEqual(["found ann", "1: hello"]);
    expect(user("bob").mailbox.events.at(-1)?.body).toEqual({
      name: "message.received",
      room: roomOf("ann").id,
      messageId: posted?.messageId ?? "",
      seq: 1,
      message: "hello",
      sender: { userId: user("ann").userId, displayName: "ann", kind: "unknown" },
    });
  });

  test("R9: a message is pushed exactly if the partner has a stream or a held call open", () => {
    const { send, open, close, poll, hold, answer, hangUp } = met();
    const delivery = () => send("ann", "hi").posted?.delivery;
    expect(delivery()).toBe("queued");
    open("bob");
    expect(delivery()).toBe("pushed");
    open("bob");
    close("bob");
    expect(delivery()).toBe("pushed");
    close("bob");
    expect(delivery()).toBe("queued");
    poll("bob");
    expect(delivery()).toBe("queued");
    poll("bob");
    hold("bob");
    expect(delivery()).toBe("pushed");
    answer("bob");
    expect(delivery()).toBe("queued");
    poll("bob");
    hold("bob");
    hangUp("bob");
    expect(delivery()).toBe("queued");
    // The sender's own lines make no difference.
    open("ann");
    expect(delivery()).toBe("queued");
  });
});

describe("saying it twice", () => {
  test("R5: the same id is answered as the first time and posted once", () => {
    const { send, at, open, mailOf } = met();
    const first = send("ann", "hi", { id: "m1" });
    at(5000);
    open("bob");
    send("bob", "what?");
    const second = send("ann", "hi", { id: "m1" });
    expect(second.posted).toEqual(first.posted);
    expect(second.posted?.delivery).toBe("queued");
    expect(second.events).toHaveLength(1);
    expect(mailOf("bob")).toEqual(["found ann", "1: hi"]);
    // Another id, another user's same id and no id at all are new messages.
    expect(send("ann", "hi", { id: "m2" }).posted?.seq).toBe(3);
    expect(send("bob", "hi", { id: "m1" }).posted?.seq).toBe(4);
    expect(send("ann", "hi").posted?.seq).toBe(5);
  });

  test("R5: of the last hundred ids, and no older one", () => {
    const { send } = met();
    const first = send("ann", "0", { id: "m0" });
    for (let i = 1; i < CLIENT_MESSAGE_IDS_MAX; i++) send("ann", "more", { id: `m${i}` });
    expect(send("ann", "0", { id: "m0" }).posted).toEqual(first.posted);
    // A retry does not make an id younger.
    send("ann", "one more", { id: "last" });
    expect(send("ann", "0", { id: "m0" }).posted?.seq).toBe(CLIENT_MESSAGE_IDS_MAX + 2);
    expect(send("ann", "1", { id: "m2" }).posted?.seq).toBe(3);
  });

  test("R5: also after the room has closed, named or not, and while waiting", () => {
    const { send, leave, roomOf, enter, where } = met();
    const room = roomOf("ann").id;
    const first = send("ann", "hi", { id: "m1" });
    leave("bob");
    expect(send("ann", "hi", { id: "m1" }).posted).toEqual(first.posted);
    expect(send("ann", "hi", { id: "m1", room }).posted).toEqual(first.posted);
    enter("ann", { interests: ["tea"] });
    expect(where("ann")).toBe("waiting");
    expect(send("ann", "hi", { id: "m1" }).posted).toEqual(first.posted);
    expect(send("ann", "hi", { id: "m2" }).refusal).toBe("not_in_room");
  });

  test("R5: in another room the same id is another message", () => {
    const { send, leave, enter, roomOf, where } = met();
    const room = roomOf("ann").id;
    const first = send("ann", "hi", { id: "m1" });
    leave("ann");
    enter("cat");
    enter("ann");
    expect(where("ann")).toBe("with cat");
    const second = send("ann", "hi", { id: "m1" });
    expect(second.posted?.messageId).not.toBe(first.posted?.messageId ?? "");
    expect(send("ann", "hi", { id: "m1", room }).posted).toEqual(first.posted);
    // Nobody is answered with what another has posted.
    expect(send("cat", "hi", { id: "m1", room }).refusal).toBe("room_not_found");
  });

  test("R5 R8: a retry costs nothing", () => {
    const { send } = met({ rates: limited({ messages: { perSecond: 1, burst: 2 } }) });
    send("ann", "hi", { id: "m1" });
    for (let i = 0; i < 5; i++) expect(send("ann", "hi", { id: "m1" }).refusal).toBeUndefined();
    expect(send("ann", "hi").refusal).toBeUndefined();
    expect(send("ann", "hi").refusal).toBe("rate_limited");
    expect(send("ann", "hi", { id: "m1" }).refusal).toBeUndefined();
  });
});

describe("no", () => {
  test("R4: nothing is posted without a room, into a closed one, or into somebody else's", () => {
    const { enter, send, leave, meet, roomOf } = new LobbyDriver();
    enter("ann");
    expect(send("ann", "hi").refusal).toBe("not_in_room");
    expect(leave("ann").refusal).toBe("not_in_room");
    enter("bob");
    const room = roomOf("ann");
    expect(send("ann", "hi", { room: room.id }).posted?.seq).toBe(1);
    leave("ann");
    expect(send("bob", "hi", { room: room.id }).refusal).toBe("chat_ended");
    expect(send("ann", "hi", { room: room.id }).refusal).toBe("chat_ended");
    expect(send("bob", "hi").refusal).toBe("not_in_room");
    expect(leave("bob", room.id).refusal).toBe("chat_ended");
    meet("cat", "dan");
    const theirs = roomOf("cat").id;
    expect(send("ann", "hi", { room: theirs }).refusal).toBe("room_not_found");
    expect(leave("ann", theirs).refusal).toBe("room_not_found");
    expect(send("ann", "hi", { room: "room_of_nobody" }).refusal).toBe("room_not_found");
    expect(send("cat", "hi", { room: room.id }).refusal).toBe("room_not_found");
    expect(room.seq).toBe(1);
    expect(roomOf("cat").seq).toBe(0);
  });

  test("R4: an old room is named while one is in a new one", () => {
    const { send, leave, enter, roomOf, where } = met();
    const room = roomOf("ann").id;
    leave("ann");
    enter("cat");
    enter("ann");
    expect(send("ann", "hi", { room }).refusal).toBe("chat_ended");
    expect(leave("ann", room).refusal).toBe("chat_ended");
    expect(where("ann")).toBe("with cat");
  });

  test("R8: messages beyond the rate are refused with the time to wait, and cost nothing", () => {
    const { send, at, mailOf } = met({ rates: limited({ messages: { perSecond: 5, burst: 3 } }) });
    for (let i = 0; i < 3; i++) expect(send("ann", "hi").refusal).toBeUndefined();
    for (let i = 0; i < 10; i++)
      expect(send("ann", "hi")).toMatchObject({ refusal: "rate_limited", retryAfterMs: 200 });
    at(199);
    expect(send("ann", "hi")).toMatchObject({ refusal: "rate_limited", retryAfterMs: 1 });
    at(200);
    expect(send("ann", "hi").refusal).toBeUndefined();
    expect(send("ann", "hi")).toMatchObject({ refusal: "rate_limited", retryAfterMs: 200 });
    expect(mailOf("bob")).toHaveLength(5);
    // Bob has his own allowance, and a long silence saves up no more than the burst.
    expect(send("bob", "hi").refusal).toBeUndefined();
    at(100_000);
    for (let i = 0; i < 3; i++) expect(send("ann", "hi").refusal).toBeUndefined();
    expect(send("ann", "hi").refusal).toBe("rate_limited");
  });

  test("R8: a new room brings no new allowance", () => {
    const { send, leave, enter } = met({ rates: limited({ messages: { perSecond: 1, burst: 1 } }) });
    send("ann", "hi");
    leave("ann");
    enter("cat");
    enter("ann");
    expect(send("ann", "hi").refusal).toBe("rate_limited");
  });
});

describe("limits of talk", () => {
  test("R7: with an agent and no human, one message more than the limit closes the room for both", () => {
    const { enter, send, mailOf, where } = new LobbyDriver({ loopMessagesMax: 3 });
    enter("ann", { kind: "agent" });
    enter("bob");
    expect(["ann", "bob", "ann"].map((name) => send(name, "hi").posted?.seq)).toEqual([1, 2, 3]);
    expect([where("ann"), where("bob")]).toEqual(["with bob", "with ann"]);
    const told = send("bob", "hi");
    expect(told.refusal).toBe("loop_limit");
    expect(told.events).toContainEqual(expect.objectContaining({ type: "room_closed", reason: "limit" }));
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    expect(mailOf("ann").at(-1)).toBe("gone: limit");
    expect(mailOf("bob").at(-1)).toBe("gone: limit");
    expect(mailOf("ann")).not.toContain("4: hi");
  });

  test("R7: only such rooms are limited, by what the two said when they met", () => {
    for (const one of KINDS) {
      for (const other of KINDS) {
        const { enter, send } = new LobbyDriver({ loopMessagesMax: 2 });
        enter("ann", { kind: one });
        enter("bob", { kind: other });
        const refusals = [1, 2, 3].map(() => send("ann", "hi").refusal);
        const limited = [one, other].includes("agent") && ![one, other].includes("human");
        expect(refusals).toEqual([undefined, undefined, limited ? "loop_limit" : undefined]);
      }
    }
  });

  test("R7: no limit where it is off, and each room counts anew", () => {
    const { enter, send, leave } = new LobbyDriver({ loopMessagesMax: 0 });
    enter("ann", { kind: "agent" });
    enter("bob", { kind: "agent" });
    for (let i = 0; i < 300; i++) expect(send("ann", "hi").refusal).toBeUndefined();
    leave("ann");

    const limited = new LobbyDriver({ loopMessagesMax: 1 });
    limited.enter("ann", { kind: "agent" });
    limited.enter("bob");
    limited.send("ann", "hi");
    limited.leave("ann");
    limited.enter("cat");
    limited.enter("ann");
    expect(limited.send("ann", "hi").refusal).toBeUndefined();
  });
});

describe("closing", () => {
  test("R6: who leaves closes the room; the partner is told, and is nowhere too", () => {
    const { leave, mailOf, where, roomOf, lobby } = met();
    const room = roomOf("ann");
    const told = leave("ann");
    expect(told.events).toContainEqual({ type: "room_closed", room: room.id, reason: "left" });
    expect(told.events).toContainEqual({ type: "left_room", user: 1, room: room.id });
    expect([where("ann"), where("bob")]).toEqual(["nowhere", "nowhere"]);
    expect(mailOf("ann")).toEqual(["found bob"]);
    expect(mailOf("bob")).toEqual(["found ann", "gone: left"]);
    expect(room.closed).toEqual({ at: 0, reason: "left" });
    expect(lobby.online).toBe(0);
    expect(leave("bob").refusal).toBe("not_in_room");
  });

  test("R10: of a user's closed rooms the last 32 can still be named", () => {
    const { meet, leave, send, roomOf, lobby } = new LobbyDriver();
    const rooms: string[] = [];
    for (let i = 0; i < PAST_ROOMS_MAX + 3; i++) {
      meet("ann", "bob");
      rooms.push(roomOf("ann").id);
      leave("ann");
    }
    const answers = rooms.map((room) => send("ann", "hi", { room }).refusal);
    expect(answers.slice(0, 3)).toEqual(["room_not_found", "room_not_found", "room_not_found"]);
    expect(new Set(answers.slice(3))).toEqual(new Set(["chat_ended"]));
    expect(lobby.rooms.size).toBe(PAST_ROOMS_MAX);
  });
});

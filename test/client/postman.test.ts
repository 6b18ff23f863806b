/**
 * The postman alone: what it says to the server, when it tries again, and what it gives back.
 *
 * This file owns the promises of postman.ts and outbox.ts. Time is turned by hand.
 */

import { describe, expect, test } from "bun:test";
import type { Happening } from "../../src/client/happening.ts";
import { Postman } from "../../src/client/postman.ts";
import type { Answer, JsonObject } from "../../src/client/wire.ts";
import { HandClock, settled } from "../support/chat-world.ts";

const SUCCESS: Answer = { kind: "success", value: { timestamp: "2026-01-01T00:00:00.000Z" } };
const refused = (code: string, retryAfterMs?: number): Answer => ({
  kind: "refused",
  refusal: { code, message: `Because of ${code}.`, retryAfterMs },
});

/** A server that gives these answers, and then success. */
function postmanOf(...answers: Answer[]) {
  const clock = new HandClock();
  const calls: JsonObject[] = [];
  const told: Happening[] = [];
  let ids = 0;
  let unknown = 0;
  const postman = new Postman({
    clock,
    newId: () => `id-${++ids}`,
    call: async (_tool, args) => {
      calls.push(args);
      return answers.shift() ?? SUCCESS;
    },
    unknown: () => {
      unknown += 1;
    },
    tell: (happening) => told.push(happening),
  });
  return { postman, clock, calls, told, unknown: () => unknown };
}

describe("a message", () => {
  test("names its room and its id, and waits for the one before it", async () => {
    const { postman, calls, told } = postmanOf();
    postman.post("room_1", "one");
    postman.post("room_2", "two");
    await settled();
    expect(calls).toEqual([
      { room_id: "room_1", message: "one", client_message_id: "id-1" },
      { room_id: "room_2", message: "two", client_message_id: "id-2" },
    ]);
    expect(told.map(({ type }) => type)).toEqual(["sent", "sent"]);
    expect(postman.unsent).toBe(0);
  });

  test("whose answer is lost goes out again with the same id, before those after it", async () => {
    const { postman, clock, calls } = postmanOf({ kind: "lost" });
    postman.post("room_1", "one");
    postman.post("room_1", "two");
    await settled();
    expect([calls.length, postman.unsent]).toEqual([1, 2]);
    await clock.pass(1000);
    expect(calls.map(({ client_message_id }) => client_message_id)).toEqual(["id-1", "id-1", "id-2"]);
  });

  test("that is too fast waits as long as it is told", async () => {
    const { postman, clock, calls } = postmanOf(refused("rate_limited", 5000));
    postman.post("room_1", "one");
    await settled();
    await clock.pass(4999);
    expect(calls).toHaveLength(1);
    await clock.pass(1);
    expect(calls).toHaveLength(2);
  });

  test("that is refused comes back with the reason", async () => {
    const { postman, told } = postmanOf(refused("message_refused"));
    postman.post("room_1", "one");
    await settled();
    expect(told).toMatchObject([{ type: "unsent", message: { text: "one" }, reason: "Because of message_refused." }]);
  });

  test("of somebody the server does not know is asked about, and kept", async () => {
    const { postman, clock, told, unknown } = postmanOf(refused("no_session"));
    postman.post("room_1", "one");
    await settled();
    expect([unknown(), postman.unsent]).toEqual([1, 1]);
    await clock.pass(1000);
    expect(told).toMatchObject([{ type: "sent" }]);
  });
});

describe("a room that is over", () => {
  test("gives back its own messages that were not tried, and no others", async () => {
    const { postman } = postmanOf({ kind: "lost" });
    postman.post("room_2", "one");
    postman.post("room_1", "two");
    postman.post("room_2", "three");
    await settled();
    expect(postman.roomEnded("room_1").map(({ text }) => text)).toEqual(["two"]);
    expect(postman.unsent).toBe(2);
  });

  test("keeps the message that may have been posted until its answer tells", async () => {
    const { postman, clock, told } = postmanOf({ kind: "lost" }, SUCCESS, refused("chat_ended"));
    postman.post("room_1", "one");
    await settled();
    expect(postman.roomEnded("room_1")).toEqual([]);
    await clock.pass(1000);
    expect(told).toMatchObject([{ type: "sent", message: { text: "one" } }]);
    postman.post("room_1", "two");
    postman.roomEnded("room_1");
    await settled();
    expect(told).toMatchObject([{ type: "sent" }, { type: "unsent", reason: "Because of chat_ended." }]);
    expect(postman.unsent).toBe(0);
  });
});

test("a stop ends all tries", async () => {
  const { postman, clock, calls } = postmanOf({ kind: "lost" });
  postman.post("room_1", "one");
  await settled();
  postman.stop();
  await clock.pass(60_000);
  expect([calls.length, clock.timers]).toEqual([1, 0]);
});

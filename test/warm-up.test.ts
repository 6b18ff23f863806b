/** The warm-up is a whole conversation in a chat of its own, which nothing of it survives. */
import { expect, test } from "bun:test";
import { warmUp } from "../src/warm-up.ts";
import { ChatWorld } from "./support/chat-world.ts";

test("two people meet, speak and part, one step in a turn", async () => {
  const world = new ChatWorld();
  const happened = new Set<string>();
  world.server.host.listenToAll(({ type }) => happened.add(type));
  let turns = 0;
  const log = {
    error(message: string) {
      throw new Error(message);
    },
  };
  const successes = await warmUp(world.server, log, async () => {
    turns++;
  });
  expect(turns).toBe(16);
  // Each initializes, lists the tools, enters and says something; only one of them is there to leave.
  expect(successes).toBe(9);
  for (const type of ["matched", "mail", "stream_opened", "stream_closed", "left_room"] as const) {
    expect(happened).toContain(type);
  }
  expect(world.lobby.queue.tickets.size).toBe(0);
});

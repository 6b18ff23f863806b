/**
 * Being forgotten: what goes, what stays, and that nothing brings it back.
 *
 * This file owns `forget_me` as seen through its tool and in the database; the lobby's part is rule U6.
 */
import { expect } from "bun:test";
import { Database } from "../../src/history/database.ts";
import { forget } from "../../src/history/erasing.ts";
import type { HistoryPlace } from "../../src/history/place.ts";
import { identityOf } from "../../src/history/recorder.ts";
import { refusalCode } from "../support/chat-world.ts";
import { asking, everythingIn, HistoryRig, historyTest, type MakePlace } from "../support/history-rig.ts";

/** What a forgotten person could be found in. */
const TABLES = ["rooms", "people", "lines"];

async function talking(make: MakePlace): Promise<{
  readonly rig: HistoryRig;
  readonly place: HistoryPlace;
  readonly room: string;
  readonly ann: string;
  readonly bob: string;
}> {
  const place = await make();
  const rig = await HistoryRig.open(place);
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 4);
  return { rig, place, room, ann: tokens[0], bob: tokens[1] };
}

const FORGOTTEN = { structuredContent: { success: true } };

historyTest("U6: what somebody wrote is gone for everybody, and the rest keeps its numbers", async (make) => {
  const { rig, place, room, ann, bob } = await talking(make);
  await using _rig = rig;
  expect(await rig.world.call("forget_me", { session_token: ann })).toMatchObject(FORGOTTEN);
  const rest = { lines: ["2 bob: message 2", "4 bob: message 4"], hasMore: false, missing: undefined };
  expect(await rig.read(bob, room)).toMatchObject(rest);
  await rig.forgetRooms();
  expect(await rig.read(bob, room)).toMatchObject(rest);
  expect(await rig.read(bob, room, { limit: 1 })).toMatchObject({ lines: ["4 bob: message 4"], hasMore: true });
  expect(await rig.read(bob, room, { before: 4, limit: 1 })).toMatchObject({
    lines: ["2 bob: message 2"],
    hasMore: false,
  });
  const all = await everythingIn(place, TABLES);
  for (const gone of ["message 1", "message 3", '"ann"', "ANN"]) expect(all).not.toContain(gone);
  const reading = await rig.world.server.definition.resources?.read(
    `chat://rooms/${room}`,
    rig.world.context({ bearer: bob }),
  );
  expect(JSON.stringify(reading)).not.toContain("ANN");
  expect(JSON.stringify(reading)).toContain("message 4");
});

historyTest("who was forgotten is nobody any more, and their id is free", async (make) => {
  const { rig, room, ann, bob } = await talking(make);
  await using _rig = rig;
  const stream = { session: "a session" };
  await rig.world.ask("chat_status", { session_token: ann }, stream);
  await rig.world.call("forget_me", { session_token: ann });
  expect(refusalCode(await rig.world.call("chat_status", { session_token: ann }))).toBe("bad_session_token");
  expect(refusalCode(await rig.world.call("chat_status", {}, stream))).toBe("no_session");
  expect((await rig.read(ann, room)).refusal).toBe("bad_session_token");
  const events = (await rig.world.ask("wait_for_message", { session_token: bob, timeout_seconds: 1 })).events;
  expect(JSON.stringify(events)).toContain('"reason":"left"');
  const second = await rig.enter("ann");
  expect(second.user_id).toBe("ann");
  expect((await rig.read(String(second.session_token), room)).refusal).toBe("room_not_found");
});

historyTest("asking again is answered as the first time", async (make) => {
  const { rig, ann } = await talking(make);
  await using _rig = rig;
  for (let n = 0; n < 3; n++) {
    expect(await rig.world.call("forget_me", { session_token: ann })).toMatchObject(FORGOTTEN);
    expect(await rig.world.call("forget_me", {}, { bearer: ann })).toMatchObject(FORGOTTEN);
  }
  expect(refusalCode(await rig.world.call("forget_me", { session_token: "mcpc_forged" }))).toBe("bad_session_token");
  expect(refusalCode(await rig.world.call("forget_me", {}))).toBe("no_session");
});

historyTest(
  "lines that wait to be written, and those that are written again, are written without words",
  async (make) => {
    const { rig, place, room, ann, bob } = await talking(make);
    await using _rig = rig;
    await rig.history.flush();
    const { lobby } = rig.world;
    const kept = lobby.rooms.get(room)?.transcript.slice() ?? [];
    const token = [...lobby.byToken].find(([, ref]) => lobby.users.get(ref)?.userId === "ann")?.[0] ?? "";
    // Only the history knows of it yet: what comes from now on is what another node may still have to write.
    await rig.history.forget(token);
    await rig.talk([ann, bob], 2, 5);
    rig.history.catchUp();
    await rig.history.idle();
    const all = await everythingIn(place, TABLES);
    for (const n of [1, 3, 5]) expect(all).not.toContain(`message ${n}`);
    for (const n of [2, 4, 6]) expect(all).toContain(`message ${n}`);
    expect(kept.length).toBe(4);
    // Nor in rooms that are new to it.
    await rig.world.ask("leave_chat", { session_token: ann });
    await rig.enter("cat");
    await rig.world.ask("enter_queue", { session_token: ann });
    await rig.say(ann, "message 7");
    await rig.history.flush();
    expect(await everythingIn(place, TABLES)).not.toContain("message 7");
  },
);

historyTest("an erasing that was cut short is not seen, and goes on by itself", async (make) => {
  const { rig, place, room, bob } = await talking(make);
  await using _rig = rig;
  await rig.history.flush();
  const { lobby } = rig.world;
  const token = [...lobby.byToken].find(([, ref]) => lobby.users.get(ref)?.userId === "ann")?.[0] ?? "";
  // As far as it came before the process was killed.
  const database = await Database.open(place);
  await forget(database, identityOf(token), 1);
  await database.close();
  expect(await everythingIn(place, TABLES)).toContain("message 1");
  await rig.world.ask("leave_chat", { session_token: bob });
  await rig.forgetRooms();
  expect((await rig.read(bob, room)).lines).toEqual(["2 bob: message 2", "4 bob: message 4"]);
  await rig.history.sweep();
  expect(await everythingIn(place, TABLES)).not.toContain("message 1");
});

historyTest(
  "what was said just before leaves its numbers, though the server is killed after the answer",
  async (make) => {
    const { rig, place, ann } = await talking(make);
    await using _rig = rig;
    expect(await rig.world.call("forget_me", { session_token: ann })).toMatchObject(FORGOTTEN);
    expect(await asking(place, "SELECT seq, text FROM mcp_chat_lines WHERE side = 0 ORDER BY seq")).toMatchObject([
      { seq: expect.anything(), text: null },
      { seq: expect.anything(), text: null },
    ]);
  },
);

historyTest("a long conversation is erased in slices", async (make) => {
  const place = await make();
  await using rig = await HistoryRig.open(place, { loopMessagesMax: 0 });
  const { tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 2500);
  await rig.history.flush();
  await rig.world.call("forget_me", { session_token: tokens[0] });
  expect(await asking(place, "SELECT 1 FROM mcp_chat_people WHERE forgotten = 1")).toEqual([]);
  const count = async (where: string): Promise<number> =>
    Number((await asking(place, `SELECT count(*) AS n FROM mcp_chat_lines WHERE ${where}`))[0]?.n);
  expect(await count("side = 0 AND text IS NOT NULL")).toBe(0);
  expect(await count("side = 0")).toBe(1250);
  expect(await count("side = 1 AND text IS NOT NULL")).toBe(1250);
});

historyTest("a report keeps what it was about", async (make) => {
  const { rig, ann, bob } = await talking(make);
  await using _rig = rig;
  await rig.world.ask("report_partner", { session_token: bob, category: "spam" });
  await rig.world.call("forget_me", { session_token: ann });
  const [report] = rig.world.lobby.reports.values();
  expect(report?.messages.map(({ body }) => body.message)).toContain("message 3");
  expect(report?.reported.userId).toBe("ann");
});

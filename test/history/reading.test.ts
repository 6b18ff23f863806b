/**
 * Reading what was said after the lobby has let go of it: the same pages, for the same two, from wherever
 * the lines are.
 *
 * This file owns the promises of reading. What is erased and what is lost have files of their own.
 */
import { expect } from "bun:test";
import { PAST_ROOMS_MAX, TRANSCRIPT_MESSAGES_MAX } from "../../src/limits.ts";
import { everythingIn, HistoryRig, historyTest } from "../support/history-rig.ts";

historyTest("what the lobby has let go of is read from the history, by both and by nobody else", async (make) => {
  await using rig = await HistoryRig.open(await make());
  const { room, tokens } = await rig.meet("ann", "bob");
  const [ann, bob] = tokens;
  await rig.say(ann, "hi \u{1f600} 'quoted' \"twice\" \\ $1 ? %");
  await rig.say(bob, "hello\nthere\tyou");
  await rig.world.ask("leave_chat", { session_token: ann });
  const whole = ["1 ann: hi \u{1f600} 'quoted' \"twice\" \\ $1 ? %", "2 bob: hello\nthere\tyou"];
  expect((await rig.read(ann, room)).lines).toEqual(whole);
  await rig.forgetRooms();
  expect(rig.world.lobby.rooms.get(room)?.transcript).toEqual([]);
  for (const token of tokens) {
    expect(await rig.read(token, room)).toEqual({
      lines: whole,
      hasMore: false,
      missing: undefined,
      refusal: undefined,
    });
  }
  const { tokens: others } = await rig.meet("cat", "dan");
  expect((await rig.read(others[0], room)).refusal).toBe("room_not_found");
  expect((await rig.read(ann, "room_nobody")).refusal).toBe("room_not_found");
});

historyTest("a conversation longer than a transcript is read page by page without a seam", async (make) => {
  await using rig = await HistoryRig.open(await make(), { loopMessagesMax: 0 });
  const { room, tokens } = await rig.meet("ann", "bob");
  const said = TRANSCRIPT_MESSAGES_MAX + 170;
  await rig.talk(tokens, said);
  expect(rig.world.lobby.rooms.get(room)?.transcript.length).toBe(TRANSCRIPT_MESSAGES_MAX);
  const expected = Array.from({ length: said }, (_, i) => `${i + 1} ${i % 2 === 0 ? "ann" : "bob"}: message ${i + 1}`);
  for (const limit of [200, 167, 85]) {
    const pages: string[][] = [];
    for (let before = said + 1; ; ) {
      const page = await rig.read(tokens[1], room, { limit, before });
      pages.unshift([...page.lines]);
      expect(page.missing).toBeUndefined();
      before -= page.lines.length;
      expect(page.hasMore).toBe(before > 1);
      if (!page.hasMore) break;
      expect(page.lines.length).toBe(limit);
    }
    expect(pages.flat()).toEqual(expected);
  }
  // Just at the seam: nothing of the lobby, some of it, and all but its first.
  for (const before of [170, 171, 172, 173]) {
    const page = await rig.read(tokens[0], room, { before, limit: 2 });
    expect(page.lines).toEqual(expected.slice(before - 3, before - 1));
  }
});

historyTest("the latest messages are there at once, though they are written later", async (make) => {
  await using rig = await HistoryRig.open(await make(), { transcriptBytesMax: 256 * 1024 });
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 3);
  // So much that the transcripts of others must go.
  for (const pair of ["cat", "dan"]) {
    const { tokens: others } = await rig.meet(pair, `${pair}s_friend`);
    for (let n = 0; n < 20; n++) await rig.say(others[0], "x".repeat(4000));
  }
  expect(rig.world.lobby.rooms.get(room)?.transcript).toEqual([]);
  const page = await rig.read(tokens[0], room);
  expect(page.lines).toEqual(["1 ann: message 1", "2 bob: message 2", "3 ann: message 3"]);
  await rig.say(tokens[1], "and 4");
  expect((await rig.read(tokens[0], room, { limit: 2 })).lines).toEqual(["3 ann: message 3", "4 bob: and 4"]);
});

historyTest("rooms that a record remembers no more are read by whoever knows their id and was there", async (make) => {
  await using rig = await HistoryRig.open(await make());
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 2);
  const again = { session_token: tokens[0] };
  for (let n = 0; n <= PAST_ROOMS_MAX; n++) {
    await rig.world.ask("leave_chat", again);
    await rig.world.ask("enter_queue", again);
    await rig.enter(`partner_${n}`);
  }
  await rig.world.ask("block_partner", { session_token: tokens[1], room_id: room });
  expect((await rig.read(tokens[0], room)).lines).toEqual(["1 ann: message 1", "2 bob: message 2"]);
});

historyTest("who takes a chosen id later reads nothing of who had it before", async (make) => {
  await using rig = await HistoryRig.open(await make(), { retainUserMs: 2 * 24 * 3600 * 1000 });
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 2);
  await rig.world.ask("leave_chat", { session_token: tokens[1] });
  // Bob stays known; Ann's record ends.
  await rig.world.clock.pass(24 * 3600 * 1000);
  await rig.world.ask("chat_status", { session_token: tokens[1] });
  await rig.world.clock.pass(25 * 3600 * 1000);
  const second = await rig.enter("ann");
  expect(second.user_id).toBe("ann");
  expect((await rig.read(String(second.session_token), room)).refusal).toBe("room_not_found");
  expect((await rig.read(tokens[1], room)).lines).toEqual(["1 ann: message 1", "2 bob: message 2"]);
});

historyTest("a room of long ago is a resource still", async (make) => {
  await using rig = await HistoryRig.open(await make());
  const { room, tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 3);
  await rig.world.ask("leave_chat", { session_token: tokens[0] });
  await rig.forgetRooms();
  const again = { session_token: tokens[0] };
  for (let n = 0; n <= PAST_ROOMS_MAX; n++) {
    await rig.world.ask("enter_queue", again);
    await rig.enter(`partner_${n}`);
    await rig.world.ask("leave_chat", again);
  }
  // Bob's record remembers it: the lobby knows the room, and the history what was said.
  for (const token of tokens) {
    const context = rig.world.context({ bearer: token });
    const reading = await rig.world.server.definition.resources?.read(`chat://rooms/${room}`, context);
    const [markdown, json] = reading?.contents ?? [];
    expect(markdown && "text" in markdown ? markdown.text : "").toContain("message 2");
    const facts = JSON.parse(json && "text" in json ? json.text : "{}");
    expect(facts).toMatchObject({ room_id: room, state: "closed", reason: "left", message_count: 3, has_more: false });
    expect(facts.messages).toHaveLength(3);
    expect(facts.partner.user_id).toBe(token === tokens[0] ? "bob" : "ann");
  }
});

historyTest("nothing that could name somebody for good is written down but a digest of a digest", async (make) => {
  const place = await make();
  const rig = await HistoryRig.open(place);
  const { tokens } = await rig.meet("ann", "bob");
  await rig.talk(tokens, 2);
  const hashes = [...rig.world.lobby.byToken.keys()];
  await rig[Symbol.asyncDispose]();
  const all = await everythingIn(place, ["rooms", "people", "lines", "forgotten"]);
  expect(all).toContain("message 2");
  for (const secret of [...tokens, ...hashes]) expect(all).not.toContain(secret);
});

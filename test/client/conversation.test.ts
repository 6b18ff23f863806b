/**
 * Two clients on a real server: they meet, talk and part, and carry on through cut wires, restarts and
 * forgetful servers.
 *
 * This file owns the promises of src/client as a whole. It must never look inside it.
 */

import { describe, expect, test } from "bun:test";
import { ChatHouse } from "../support/chat-house.ts";
import { Talker, WISHES } from "../support/chat-partner.ts";
import { ChatWorld } from "../support/chat-world.ts";

async function meet(house: ChatHouse): Promise<{ ann: Talker; bob: Talker }> {
  const ann = await Talker.enter(house.endpoint, { name: "Ann", interests: ["tea"] });
  const bob = await Talker.enter(house.endpoint, { name: "Bob", interests: ["tea"] });
  house.guests.use(ann);
  house.guests.use(bob);
  await ann.met();
  await bob.met();
  return { ann, bob };
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `word ${from + n}`);

describe("a chat", () => {
  test("who waits learns their place, and both learn of each other once", async () => {
    await using house = new ChatHouse();
    await using ann = await Talker.enter(house.endpoint, { name: "Ann" });
    expect(ann.conversation.place).toMatchObject({
      at: "waiting",
      outlook: { position: 1, estimatedWaitSeconds: undefined, waiting: 1, online: 1 },
    });
    await using bob = await Talker.enter(house.endpoint, { name: "Bob" });
    await ann.met();
    await bob.met();
    expect(ann.conversation.place).toMatchObject({ room: { partner: { displayName: "Bob", kind: "human" } } });
    expect(bob.conversation.place).toMatchObject({ room: { partner: { displayName: "Ann" } } });
    expect(ann.heard.filter((one) => one.type === "place" && one.place.at === "chatting")).toHaveLength(1);
    expect(ann.heard.filter((one) => one.type === "token")).toHaveLength(1);
  });

  test("what is said arrives in order, and is told as sent", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    for (const word of numbered(1, 20)) ann.conversation.say(word);
    await bob.hears("word 20");
    expect(bob.words).toEqual(numbered(1, 20));
    await ann.next("sent", ({ message }) => message.text === "word 20");
    expect(ann.conversation.unsent).toBe(0);
    await ann.conversation.close(true);
    await bob.next("place", ({ ended }) => ended?.why === "left");
    await bob.conversation.close(true);
    expect(house.world.lobby.online).toBe(0);
  });

  test("nothing is said without a partner, and no more than the outbox holds", async () => {
    await using house = new ChatHouse();
    await using ann = await Talker.enter(house.endpoint);
    expect(ann.conversation.say("hello?")).toBe("no partner");
    await using bob = await Talker.enter(house.endpoint);
    await bob.met();
    house.cut();
    const said = Array.from({ length: 101 }, (_, n) => bob.conversation.say(`${n}`));
    expect(said.filter((one) => one === "too many")).toHaveLength(1);
  });

  test("a refused message comes back with the reason, and the next one goes out", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    ann.conversation.say("x".repeat(5000));
    ann.conversation.say("short");
    expect((await ann.next("unsent")).reason).toContain("4000");
    await bob.hears("short");
    expect(bob.words).toEqual(["short"]);
  });

  test("typing is told at the first key and when it stops, not at every key", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    for (let key = 0; key < 10; key += 1) ann.conversation.typing(true);
    await bob.next("event", ({ event }) => event.name === "partner.typing" && event.typing);
    ann.conversation.typing(false);
    await bob.next("event", ({ event }) => event.name === "partner.typing" && !event.typing);
    const signs = bob.heard.filter((one) => one.type === "event" && one.event.name === "partner.typing");
    expect(signs).toHaveLength(2);
  });

  test("blocking and reporting end the chat for both", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    expect(await ann.conversation.report("spam", "sells things")).toBeUndefined();
    expect(ann.conversation.place.at).toBe("idle");
    await bob.next("place", ({ place }) => place.at === "idle");
    expect(await ann.conversation.block()).toMatchObject({ code: "not_in_room" });
    expect(house.world.lobby.online).toBe(2);
  });

  test("two who know a code meet by it", async () => {
    await using house = new ChatHouse();
    await using ann = new Talker(house.endpoint);
    await using bob = new Talker(house.endpoint);
    await Promise.all([ann.connect(), bob.connect()]);
    expect(await ann.conversation.join("tea at five", WISHES)).toBeUndefined();
    expect(ann.conversation.place.at).toBe("waiting");
    expect(await bob.conversation.join("Tea at Five", WISHES)).toBeUndefined();
    await ann.met();
    await bob.met();
    expect(await bob.conversation.join("no", WISHES)).toMatchObject({ code: expect.any(String) });
  });
});

describe("a lost connection", () => {
  test("is mended by itself, with nothing lost or doubled on either side", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    ann.conversation.say("word 1");
    await bob.hears("word 1");
    house.cut();
    await ann.next("connection_lost");
    for (const word of numbered(2, 6)) ann.conversation.say(word);
    for (const word of numbered(1, 5)) bob.conversation.say(word);
    expect(ann.conversation.unsent).toBe(5);
    house.mend();
    await bob.hears("word 6");
    await ann.hears("word 5");
    expect(bob.words).toEqual(numbered(1, 6));
    expect(ann.words).toEqual(numbered(1, 5));
    expect(ann.conversation.place).toMatchObject({ at: "chatting" });
  });

  test("that swallowed the answer: the message was posted, and is not posted again", async () => {
    await using house = new ChatHouse();
    await using bob = await Talker.enter(house.directEndpoint, { name: "Bob" });
    await using ann = await Talker.enter(house.endpoint, { name: "Ann" });
    await Promise.all([ann.met(), bob.met()]);
    house.mute();
    ann.conversation.say("word 1");
    await bob.hears("word 1");
    expect(ann.conversation.unsent).toBe(1);
    house.cut();
    house.mend();
    await ann.next("sent");
    ann.conversation.say("word 2");
    await bob.hears("word 2");
    expect(bob.words).toEqual(numbered(1, 2));
  });

  test("during which the user met somebody else: what was meant for the first goes to nobody", async () => {
    await using house = new ChatHouse();
    await using bob = await Talker.enter(house.directEndpoint, { name: "Bob" });
    await using ann = await Talker.enter(house.endpoint, { name: "Ann" });
    await Promise.all([ann.met(), bob.met()]);
    house.cut();
    ann.conversation.say("for Bob alone");
    await bob.next("event", ({ event }) => event.name === "partner.away");
    await house.world.ask("leave_chat", {}, { bearer: ann.token });
    await house.world.ask("enter_queue", {}, { bearer: ann.token });
    await using cat = await Talker.enter(house.directEndpoint, { name: "Cat" });
    await cat.met();
    house.mend();
    expect(await ann.next("unsent")).toMatchObject({ message: { text: "for Bob alone" } });
    await ann.met();
    expect(ann.conversation.place).toMatchObject({ room: { partner: { displayName: "Cat" } } });
    ann.conversation.say("for Cat");
    await cat.hears("for Cat");
    expect(cat.words).toEqual(["for Cat"]);
  });

  test("many times in the middle of things", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    for (const word of numbered(1, 60)) {
      ann.conversation.say(word);
      bob.conversation.say(word);
      if (Number(word.slice(5)) % 12 === 0) {
        await bob.hears(`word ${Number(word.slice(5)) - 6}`);
        house.breakSockets();
      }
    }
    await Promise.all([bob.hears("word 60"), ann.hears("word 60")]);
    expect(bob.words).toEqual(numbered(1, 60));
    expect(ann.words).toEqual(numbered(1, 60));
  });

  test("a silent stream is given up and opened again", async () => {
    const world = new ChatWorld();
    // Nothing is heard for as long as the test runs, as on a dead wire; the client's own clock decides.
    await using house = new ChatHouse({ keepAliveMs: 3_600_000 }, world);
    await using ann = new Talker(house.endpoint, { clock: world.clock });
    await ann.connect();
    await ann.conversation.enter(WISHES);
    await world.clock.pass(46_000);
    await ann.next("connection_lost");
    await world.clock.pass(10_000);
    await ann.next("connected", ({ isNewSession }) => !isNewSession);
  });
});

describe("a restarted server", () => {
  test("that has kept everything is carried on with", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    ann.conversation.say("word 1");
    await bob.hears("word 1");
    await house.stop();
    await ann.next("connection_lost");
    ann.conversation.say("word 2");
    house.start();
    await bob.hears("word 2");
    bob.conversation.say("word 3");
    await ann.hears("word 3");
    expect(bob.words).toEqual(numbered(1, 2));
  });

  test("that knows the user but not the session is shown the token", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    ann.conversation.say("word 1");
    await bob.hears("word 1");
    await house.stop();
    await bob.next("connection_lost");
    ann.conversation.say("word 2");
    house.start({ sessionKey: new Uint8Array(32).fill(9) });
    await bob.next("connected", ({ isNewSession }) => isNewSession);
    await bob.hears("word 2");
    bob.conversation.say("word 3");
    await ann.hears("word 3");
    expect(bob.words).toEqual(numbered(1, 2));
    expect(ann.words).toEqual(["word 3"]);
  });

  test("that has forgotten everything: the chat is over, and what was meant for it goes to nobody", async () => {
    await using house = new ChatHouse();
    const { ann, bob } = await meet(house);
    await house.stop();
    await ann.next("connection_lost");
    ann.conversation.say("for Bob alone");
    house.world = new ChatWorld();
    house.start({ sessionKey: new Uint8Array(32).fill(9) });
    await ann.next("forgotten");
    await bob.next("forgotten");
    expect(await ann.next("unsent")).toMatchObject({ message: { text: "for Bob alone" } });
    expect(ann.conversation.place.at).toBe("idle");

    await ann.conversation.enter(WISHES);
    await using cat = await Talker.enter(house.endpoint);
    await ann.met();
    ann.conversation.say("for Cat");
    await cat.hears("for Cat");
    expect(cat.words).toEqual(["for Cat"]);
  });

  test("that has forgotten a waiting user: they wait again", async () => {
    await using house = new ChatHouse();
    await using ann = await Talker.enter(house.endpoint, { name: "Ann" });
    await house.stop();
    house.world = new ChatWorld();
    house.start({ sessionKey: new Uint8Array(32).fill(9) });
    await ann.next("token");
    await ann.next("token");
    await using bob = await Talker.enter(house.endpoint, { name: "Bob" });
    await bob.met();
    expect(bob.conversation.place).toMatchObject({ room: { partner: { displayName: "Ann" } } });
  });
});

describe("a server that cannot be used", () => {
  test("is named at once and not tried again", async () => {
    await using house = new ChatHouse({ accessToken: "right" });
    const open = (endpoint: string, accessToken?: string) => new Talker(endpoint, { accessToken }).conversation.open();
    expect(await open(house.endpoint)).toMatchObject({ kind: "denied", message: expect.stringContaining("asks for") });
    expect(await open(house.endpoint, "wrong")).toMatchObject({ kind: "denied" });
    expect(await open(house.endpoint, "right")).toBeUndefined();
    expect(await open(house.endpoint.replace("/mcp", "/other"), "right")).toMatchObject({ kind: "foreign" });
    house.cut();
    expect(await open(house.endpoint)).toMatchObject({ kind: "unreachable" });
  });
});

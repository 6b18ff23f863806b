/**
 * What two people do in a chat, told once for every pair of clients.
 *
 * This file owns the conversations that the tests of this folder have in common. It must never know
 * which flavours take part.
 */

import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { type ClientProcess, spawnClient } from "../support/client-child.ts";
import {
  type ChatClient,
  type ChatEvent,
  connect,
  type Flavour,
  hearsByPush,
  type Identity,
  type Outcome,
} from "../support/client-flavours.ts";

/** Who can enter, speak and hear: a client of this process, or one of another. */
type Person = Pick<ChatClient, "flavour" | "enter" | "send" | "hear">;

export const TOOLS = [
  ...["enter_queue", "leave_queue", "join_room", "send_message", "wait_for_message", "set_typing", "get_history"],
  ...["chat_status", "leave_chat", "report_partner", "block_partner"],
];

/** Settings that let many pairs meet on one server at once: nobody takes a partner without the shared interest. */
export const SETTINGS = ["--rate-messages-per-second", "0", "--widen-seconds", "86400"];

function expectSuccess(outcome: Outcome): Outcome {
  if (outcome.isError) throw new Error(`refused: ${JSON.stringify(outcome.structuredContent)}`);
  return outcome;
}

/** Both enter, the first one first, and hear of each other. @returns the room they share */
export async function meet(first: Person, second: Person): Promise<string> {
  // Unique, so that the pairs of other tests on the same server stay apart.
  const interests = [randomUUID().slice(0, 30)];
  const waiting = expectSuccess(await first.enter({ display_name: "First", interests }));
  expect(waiting.structuredContent).toMatchObject({ status: "waiting" });
  const matched = expectSuccess(await second.enter({ display_name: "Second", interests }));
  expect(matched.structuredContent).toMatchObject({ status: "matched", position: 0 });

  const [firstHears, secondHears] = await Promise.all([first.hear(), second.hear()]);
  expect(firstHears).toMatchObject({ name: "chatroom.found", data: { partner: { display_name: "Second" } } });
  expect(secondHears).toMatchObject({ name: "chatroom.found", data: { partner: { display_name: "First" } } });
  expect(firstHears.data).toMatchObject({ shared_interests: interests });
  expect(firstHears.data.room_id).toBe(secondHears.data.room_id);
  expect(matched.structuredContent).toMatchObject({ room: { room_id: firstHears.data.room_id } });
  return firstHears.data.room_id;
}

/** One says `count` messages one after the other, while the other hears them all, in order. */
export async function tell(speaker: Person, listener: Person, room: string, count: number): Promise<void> {
  const words = Array.from({ length: count }, (_, n) => `${speaker.flavour} says ${n} of ${count} \u{1f44b}`);
  const speak = async (): Promise<void> => {
    for (const word of words) expectSuccess(await speaker.send(word));
  };
  const listen = async (): Promise<ChatEvent[]> => {
    const events: ChatEvent[] = [];
    while (events.length < count) events.push(await listener.hear());
    return events;
  };
  const [heard] = await Promise.all([listen(), speak()]);
  expect(heard.map(({ name, data }) => [name, data.message])).toEqual(words.map((word) => ["message.received", word]));
  expect(new Set(heard.map(({ data }) => data.room_id))).toEqual(new Set([room]));
  const numbers = heard.map(({ data }) => Number(data.seq));
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
}

/** One leaves; the other is told. */
export async function part(leaver: ChatClient, other: Person, room: string): Promise<void> {
  expectSuccess(await leaver.leave());
  expect(await other.hear()).toMatchObject({
    name: "partner.disconnected",
    data: { room_id: room, reason: "left" },
  });
}

/** A whole conversation, then another one with the parts exchanged. */
export async function converse(a: ChatClient, b: ChatClient, messages: number): Promise<void> {
  expect(await a.listTools()).toEqual(TOOLS);
  expect(await b.listTools()).toEqual(TOOLS);
  const room = await meet(a, b);
  await Promise.all([tell(a, b, room, messages), tell(b, a, room, messages)]);
  await part(a, b, room);

  const again = await meet(b, a);
  expect(again).not.toBe(room);
  await tell(a, b, again, 1);
  await part(b, a, again);
  expect([await a.repeats(), await b.repeats()]).toEqual([0, 0]);
}

/** A client's process is killed and never comes back; its partner is told when its time is up. */
export async function vanish(url: string, gone: Flavour, staying: Flavour): Promise<void> {
  await using stays = await connect(staying, url);
  await using goes = await spawnClient(gone, url);
  const room = await meet(stays, goes);
  await tell(goes, stays, room, 3);
  const last = goes.hear().catch(String);
  await goes.kill();
  expect(await last).toContain("process ended");
  // Only the end of a stream shows at once; of a client that calls tools, silence is all there is.
  if (hearsByPush(gone)) expect(await stays.hear()).toMatchObject({ name: "partner.away", data: { room_id: room } });
  expect(await stays.hear()).toMatchObject({
    name: "partner.disconnected",
    data: { room_id: room, reason: "timeout" },
  });
  const sent = await stays.send("are you there?");
  expect(sent).toMatchObject({ isError: true, structuredContent: { error: { code: "not_in_room" } } });
}

/** A client loses its connections, misses nothing and goes on by itself. */
export async function reconnect(url: string, dropping: Flavour, staying: Flavour): Promise<void> {
  await using stays = await connect(staying, url);
  await using drops = await connect(dropping, url);
  const room = await meet(drops, stays);
  await tell(stays, drops, room, 3);
  const next = drops.hear();
  await drops.drop();
  if (hearsByPush(dropping)) expect(await stays.hear()).toMatchObject({ name: "partner.away" });
  await stays.send("meanwhile");
  expect(await next).toMatchObject({ name: "message.received", data: { message: "meanwhile", room_id: room } });
  if (hearsByPush(dropping)) expect(await stays.hear()).toMatchObject({ name: "partner.back" });
  expect(await drops.resumptions()).toBe(hearsByPush(dropping) ? 1 : 0);
  await Promise.all([tell(drops, stays, room, 3), tell(stays, drops, room, 3)]);
  expect([await drops.repeats(), await stays.repeats()]).toEqual([0, 0]);
}

/** A call is held so long that it streams; its connection breaks, and the answer comes on a resumed one. */
export async function holdThroughDrop(url: string, flavour: Flavour): Promise<void> {
  await using stays = await connect("v2-pinned", url);
  await using holds = await connect(flavour, url);
  await meet(holds, stays);
  await holds.wait(1);
  const held = holds.wait(25);
  await holds.holding();
  await holds.drop();
  await stays.send("hello again");
  expect((await held).structuredContent).toMatchObject({ events: [{ data: { message: "hello again" } }] });
  // The stream of notifications comes back too.
  expect(await holds.hear()).toMatchObject({ name: "message.received", data: { message: "hello again" } });
}

/** A client's process is killed; another one takes its place and finds everything as it was. */
export async function replace(url: string, killed: Flavour, staying: Flavour, by: "session" | "token"): Promise<void> {
  await using stays = await connect(staying, url);
  const { room, identity } = await killInRoom(stays, await spawnClient(killed, url));
  for (const word of ["one", "two", "three"]) expectSuccess(await stays.send(word));

  await using back = await connect(killed, url, { as: identity, by });
  expect((await back.status()).structuredContent).toMatchObject({ status: "chatting", room: { room_id: room } });
  for (const word of ["one", "two", "three"]) {
    expect(await back.hear()).toMatchObject({ name: "message.received", data: { message: word } });
  }
  // Whoever names a position gets exactly what came after it.
  if (by === "session" || !hearsByPush(killed)) expect(await back.repeats()).toBe(0);
  if (hearsByPush(killed)) expect(await stays.hear()).toMatchObject({ name: "partner.back", data: { room_id: room } });
  await Promise.all([tell(back, stays, room, 3), tell(stays, back, room, 3)]);
  await part(back, stays, room);
}

async function killInRoom(stays: ChatClient, goes: ClientProcess): Promise<{ room: string; identity: Identity }> {
  await using killed = goes;
  const room = await meet(killed, stays);
  await Promise.all([tell(killed, stays, room, 3), tell(stays, killed, room, 3)]);
  const identity = await killed.identity();
  await killed.kill();
  if (hearsByPush(killed.flavour)) expect(await stays.hear()).toMatchObject({ name: "partner.away" });
  return { room, identity };
}

/**
 * The history of servers that are one: each line is written by the node that had it happen, and what a lost
 * node has not written by another.
 *
 * This file owns who writes. What is written is the same as on one server.
 */
import { expect } from "bun:test";
import { Database } from "../../src/history/database.ts";
import { eraseSlice, forget } from "../../src/history/erasing.ts";
import { SqlHistory } from "../../src/history/history.ts";
import type { HistoryPlace } from "../../src/history/place.ts";
import { type Item, writeItems } from "../../src/history/records.ts";
import { upgrade } from "../../src/history/schema.ts";
import { NODE_SILENT_MS } from "../../src/limits.ts";
import { ChatNodes } from "../support/chat-nodes.ts";
import { asking, historyTest } from "../support/history-rig.ts";

function open(place: HistoryPlace): Promise<SqlHistory> {
  const silent = { info: () => undefined, warn: () => undefined };
  return SqlHistory.open({ place, retainDays: 3650, log: silent });
}

type Headers = Record<string, string>;

/** Ann calls the first node and Bob the second; they talk in turns. @returns Ann's session */
async function conversation(nodes: ChatNodes, messages: number): Promise<Headers> {
  const people = [nodes.at(0), nodes.at(1)].map((node) => ({ node, session: node.session() }));
  for (const [n, { node, session }] of people.entries()) {
    await node.call("enter_queue", { display_name: `person ${n}` }, session);
  }
  await nodes.calm();
  for (let n = 0; n < messages; n++) {
    const one = people[n % 2];
    await one?.node.call("send_message", { message: `message ${n + 1}` }, one.session);
  }
  await nodes.calm();
  return people[0]?.session ?? {};
}

async function textsIn(place: HistoryPlace): Promise<unknown[]> {
  return (await asking(place, "SELECT text FROM mcp_chat_lines ORDER BY seq")).map(({ text }) => text);
}

const FOUR = ["message 1", "message 2", "message 3", "message 4"];

historyTest("every line is written by the node that had it happen, and by no other", async (make) => {
  const place = await make();
  await using nodes = await together(place, [place, place]);
  await conversation(nodes.nodes, 4);
  for (const history of nodes.histories) await history.flush();
  expect(await textsIn(place)).toEqual(FOUR);
  // Each has written the room, and two lines.
  expect(nodes.histories.map(({ figures }) => figures.written)).toEqual([3, 3]);
});

historyTest("what a lost node has not written another one does", async (make) => {
  const [place, nowhere] = [await make(), await make()];
  // As if it never came to it.
  await using nodes = await together(place, [nowhere, place]);
  await conversation(nodes.nodes, 4);
  await nodes.histories[1]?.flush();
  expect(await textsIn(place)).toEqual(["message 2", "message 4"]);
  nodes.nodes.at(0).kill();
  await nodes.nodes.pass(NODE_SILENT_MS + 2000);
  await nodes.histories[1]?.idle();
  expect(await textsIn(place)).toEqual(FOUR);
});

historyTest("what is forgotten through one node no other writes down", async (make) => {
  const place = await make();
  await using nodes = await together(place, [place, place]);
  const ann = await conversation(nodes.nodes, 4);
  // The first node has not written anything yet.
  const told = await nodes.nodes.at(1).call("forget_me", {}, ann);
  expect(told.structured).toEqual({ success: true });
  for (const history of nodes.histories) {
    history.catchUp();
    await history.idle();
  }
  expect(await textsIn(place)).toEqual([null, "message 2", null, "message 4"]);
});

historyTest(
  "where a number is given again, the later message is kept, and what was erased stays erased",
  async (make) => {
    const place = await make();
    const database = await Database.open(place);
    await upgrade(database);
    const sender = { userId: "ann", displayName: "Ann", kind: "human" } as const;
    const room: Item = {
      type: "room",
      room: {
        id: "room_x",
        openedAt: 1,
        people: [
          { identity: "one", ...sender },
          { identity: "two", ...sender, userId: "bob" },
        ],
        closed: undefined,
      },
    };
    const line = (seq: number, messageId: string, message: string, at: number, side: 0 | 1 = 0): Item => ({
      type: "line",
      line: { at, bytes: 0, body: { name: "message.received", room: "room_x", messageId, seq, message, sender } },
      side,
    });
    const write = (...items: Item[]): Promise<void> =>
      database.write((ask) => writeItems(ask, database.dialect, items));
    await write(room, line(1, "a", "first", 5), line(2, "b", "lost", 6), line(2, "b", "lost", 6));
    await write(line(2, "c", "said instead", 9), line(1, "a", "first", 5));
    // Too late: it was lost, and only its writer did not know yet.
    await write(line(2, "b", "lost", 6));
    expect(await textsIn(place)).toEqual(["first", "said instead"]);
    await forget(database, "one", 1);
    for (let isDone = false; !isDone; ) isDone = await eraseSlice(database);
    await write(line(1, "d", "again", 20), line(2, "e", "and again", 20));
    expect(await textsIn(place)).toEqual([null, null]);
    await database.close();
  },
);

/** Nodes that read and forget at one place, each of which writes to its own. */
async function together(
  place: HistoryPlace,
  places: readonly HistoryPlace[],
): Promise<{ readonly nodes: ChatNodes; readonly histories: readonly SqlHistory[] } & AsyncDisposable> {
  const history = await open(place);
  const nodes = await ChatNodes.start(places.length, { chat: { history } });
  const histories: SqlHistory[] = [];
  for (const [n, own] of places.entries()) {
    const one = await open(own);
    one.record(nodes.at(n).chat.host);
    histories.push(one);
  }
  return {
    nodes,
    histories,
    async [Symbol.asyncDispose]() {
      await Promise.all([history, ...histories].map((one) => one.close()));
      for (const node of nodes.all) node.kill();
    },
  };
}

/**
 * The account is as strict as it says: one small clean world, and every way in which it can be wrong.
 *
 * This file owns made-up records. It must never start a server.
 */
import { expect, test } from "bun:test";
import type { ChatEvent } from "../support/client-flavours.ts";
import {
  type Expectations,
  faultsOf,
  type HistoryLine,
  type Receipt,
  type Witness,
} from "../support/cluster-account.ts";

const ROOM = "room-1";
const event = (id: number, name: string, data: ChatEvent["data"] | object = {}): ChatEvent => ({
  event_id: `e${id}`,
  name,
  cursor: `c${id}`,
  data: { room_id: ROOM, timestamp: "t", ...data },
});
const found = (id: number, partner: string): ChatEvent =>
  event(id, "chatroom.found", { partner: { user_id: partner } });
const received = (id: number, from: string, text: string, seq: number): ChatEvent =>
  event(id, "message.received", { message: text, message_id: `m${seq}`, seq, sender: { user_id: from } });
const receipt = (text: string, seq: number): Receipt => ({ room: ROOM, text, messageId: `m${seq}`, seq });
const line = (from: string, text: string, seq: number): HistoryLine => ({ seq, messageId: `m${seq}`, from, text });

/** Ann says 1 and 3, Bob says 2; both have heard it all, Ann one thing twice. */
function cleanWorld(): [ann: Witness, bob: Witness] {
  const lines = [line("ann", "a1", 1), line("bob", "b2", 2), line("ann", "a3", 3)];
  const both = { left: new Set<string>(), truncations: 0, troubles: [], histories: new Map([[ROOM, lines]]) };
  const ann = {
    ...both,
    name: "ann",
    userId: "ann",
    receipts: [receipt("a1", 1), receipt("a3", 3)],
    attempted: new Set(["a1", "a3"]),
    heard: [found(1, "bob"), received(2, "bob", "b2", 2), received(2, "bob", "b2", 2)],
  };
  const toldOfAnn = [event(13, "partner.away"), event(14, "partner.back")];
  const bob = {
    ...both,
    name: "bob",
    userId: "bob",
    receipts: [receipt("b2", 2)],
    attempted: new Set(["b2"]),
    heard: [found(11, "ann"), received(12, "ann", "a1", 1), ...toldOfAnn, received(15, "ann", "a3", 3)],
  };
  return [ann, bob];
}

/** What is different in an unclean world. */
type Change = (ann: Witness, bob: Witness) => { readonly ann?: Partial<Witness>; readonly bob?: Partial<Witness> };

/** What the account says of the clean world with a change. */
function faultsAfter(change: Change, expectations: Expectations = {}): string[] {
  const [ann, bob] = cleanWorld();
  const changed = change(ann, bob);
  return faultsOf(
    [
      { ...ann, ...changed.ann },
      { ...bob, ...changed.bob },
    ],
    expectations,
  );
}

/** Ann remembers these texts, in this order. */
const remembering = (...texts: string[]) => {
  const lines = texts.map((text) => line(text.startsWith("a") ? "ann" : "bob", text, Number(text.slice(1))));
  return { ann: { histories: new Map([[ROOM, lines]]) } };
};
const endedBy = (reason: string) => event(3, "partner.disconnected", { reason });

const NEVER = 'bob never heard "a3", which was acknowledged to ann';

const BREACHES: readonly (readonly [string, Change])[] = [
  [NEVER, (_, { heard }) => ({ bob: { heard: heard.slice(0, -1) } })],
  [
    'bob heard "a3" twice, as different events',
    (_, { heard }) => ({ bob: { heard: [...heard, received(16, "ann", "a3", 4)] } }),
  ],
  [
    'bob heard "a1" (1) after 3',
    (_, { heard }) => ({ bob: { heard: [found(11, "ann"), ...heard.slice(1).reverse()] } }),
  ],
  [
    'bob heard "a0", which ann never sent',
    (_, { heard }) => ({ bob: { heard: [...heard, received(16, "ann", "a0", 4)] } }),
  ],
  [
    'bob heard "a3" from a stranger',
    (_, { heard }) => ({ bob: { heard: [...heard.slice(0, -1), received(15, "eve", "a3", 3)] } }),
  ],
  [
    'bob heard "a3" as 4, acknowledged as 3',
    (_, { heard }) => ({ bob: { heard: [...heard.slice(0, -1), received(15, "ann", "a3", 4)] } }),
  ],
  ["ann heard two different events e2", ({ heard }) => ({ ann: { heard: [...heard, received(2, "bob", "b2", 5)] } })],
  ["ann found room room-1 twice", ({ heard }) => ({ ann: { heard: [...heard, found(3, "bob")] } })],
  ["ann met somebody unknown in room-1", () => ({ ann: { heard: [found(1, "eve")] } })],
  [
    "ann heard message.received of room room-1 before it was found",
    ({ heard }) => ({ ann: { heard: heard.slice(1) } }),
  ],
  ["ann lost the partner in room-1: left", ({ heard }) => ({ ann: { heard: [...heard, endedBy("left")] } })],
  [
    "bob heard message.received of room room-1 after its end",
    (_, { heard }) => ({ bob: { heard: heard.toSpliced(1, 0, endedBy("left")) } }),
  ],
  [
    "bob was told that the partner in room-1 is back, who was not away",
    (_, { heard }) => ({ bob: { heard: heard.toSpliced(2, 1) } }),
  ],
  [
    "bob was told twice that the partner in room-1 is away",
    (_, { heard }) => ({ bob: { heard: heard.toSpliced(2, 0, event(17, "partner.away")) } }),
  ],
  [
    'ann was given seq 3 for "a4" after a later one',
    ({ receipts }) => ({ ann: { receipts: [...receipts, receipt("a4", 3)] } }),
  ],
  ["ann was not told that bob left room-1", () => ({ bob: { left: new Set([ROOM]) } })],
  ["ann was told that bob left room-1, who did not", ({ heard }) => ({ ann: { heard: [...heard, endedBy("left")] } })],
  ["ann has a history of room-1 with gaps", () => remembering("a1", "a3")],
  ['ann has a history without "a3"', () => remembering("a1", "b2")],
  ['ann has a history with "a4", which nobody sent', () => remembering("a1", "b2", "a3", "a4")],
  ["ann: its session is not known: 404", () => ({ ann: { troubles: ["its session is not known: 404"] } })],
];

test("a clean world has no fault", () => {
  expect(faultsAfter(() => ({}))).toEqual([]);
});

test.each(BREACHES)("it says: %s", (fault, change) => {
  expect(faultsAfter(change).map((said) => said.slice(0, fault.length))).toContain(fault);
});

test("where chats may end, only an end by timeout is a fault", () => {
  const end =
    (reason: string): Change =>
    ({ heard }) => ({ ann: { heard: [...heard, endedBy(reason)] }, bob: { left: new Set([ROOM]) } });
  expect(faultsAfter(end("left"), { mayEnd: true })).toEqual([]);
  expect(faultsAfter(end("timeout"), { mayEnd: true })).toEqual(["ann lost the partner in room-1: timeout"]);
});

test("where something may be lost, whoever did not hear it has been told", () => {
  const lose =
    (truncations: number): Change =>
    (_, { heard }) => ({ bob: { heard: heard.slice(0, -1), truncations } });
  expect(faultsAfter(lose(0), { mayLoseIfTold: true })).toEqual([NEVER]);
  expect(faultsAfter(lose(1), { mayLoseIfTold: true })).toEqual([]);
  expect(faultsAfter(lose(1))).toEqual([NEVER]);
});

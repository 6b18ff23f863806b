/**
 * Transcripts: what is kept of a conversation, for whom, and what goes first.
 *
 * This file owns the H rules.
 */
import { describe, expect, test } from "bun:test";
import { nextDeadline } from "../../src/domain/lobby.ts";
import { bytesOf } from "../../src/domain/mailbox.ts";
import { readTranscript } from "../../src/domain/transcript.ts";
import {
  PAST_ROOMS_MAX,
  TRANSCRIPT_AGE_MS_MAX,
  TRANSCRIPT_BYTES_MAX,
  TRANSCRIPT_MESSAGES_MAX,
} from "../../src/limits.ts";
import { LobbyDriver } from "../support/lobby-driver.ts";

/** Sent by Ann, then Bob, in turns. */
function talk({ send }: LobbyDriver, ...texts: readonly string[]): void {
  texts.forEach((text, i) => {
    send(i % 2 === 0 ? "ann" : "bob", text);
  });
}

function met(settings: ConstructorParameters<typeof LobbyDriver>[0] = {}): LobbyDriver {
  const driver = new LobbyDriver(settings);
  driver.meet("ann", "bob");
  return driver;
}

/** What somebody reads of a room: `1 Ann: hi`, or the refusal. */
function read(driver: LobbyDriver, name: string, room: string, before?: number, limit = 200): string[] | string {
  const page = readTranscript(driver.lobby, driver.user(name), room, before, limit);
  if ("type" in page) return page.code;
  return page.lines.map(({ body }) => `${body.seq} ${body.sender.displayName}: ${body.message}`);
}

/** The texts that are kept of a room. */
const kept = (room: { readonly transcript: readonly { readonly body: { readonly message: string } }[] }): string[] =>
  room.transcript.map(({ body }) => body.message);

describe("reading", () => {
  test("H1: both members read the same, whole and in order, also after the end", () => {
    const driver = met();
    const { id } = driver.roomOf("ann");
    talk(driver, "hi", "hello", "how are you");
    const whole = ["1 ann: hi", "2 bob: hello", "3 ann: how are you"];
    expect([read(driver, "ann", id), read(driver, "bob", id)]).toEqual([whole, whole]);
    driver.leave("ann");
    expect([read(driver, "ann", id), read(driver, "bob", id)]).toEqual([whole, whole]);
  });

  test("H1: nobody else reads it, and nobody reads what is not there", () => {
    const driver = met();
    driver.meet("cat", "dan");
    const { id } = driver.roomOf("ann");
    talk(driver, "hi");
    expect([read(driver, "cat", id), read(driver, "ann", "room_1")]).toEqual(["room_not_found", "room_not_found"]);
  });

  test("H1: a line says when it was written, and is the very event of the partner's mailbox", () => {
    const driver = met();
    driver.from(7);
    driver.send("ann", "hi");
    const [line] = driver.roomOf("ann").transcript;
    expect(line?.at).toBe(7);
    expect(line).toBe(driver.user("bob").mailbox.events.at(-1) as typeof line);
  });

  test("H1: page by page backwards, and whether there is more", () => {
    const driver = met();
    const { id } = driver.roomOf("ann");
    talk(driver, "a", "b", "c", "d", "e");
    const page = (before: number | undefined, limit: number) => {
      const answer = readTranscript(driver.lobby, driver.user("ann"), id, before, limit);
      return "type" in answer ? answer.code : [answer.lines.map(({ body }) => body.seq).join(""), answer.hasMore];
    };
    expect(page(undefined, 2)).toEqual(["45", true]);
    expect(page(4, 2)).toEqual(["23", true]);
    expect(page(2, 2)).toEqual(["1", false]);
    expect(page(1, 2)).toEqual(["", false]);
    expect(page(0, 2)).toEqual(["", false]);
    expect(page(99, 5)).toEqual(["12345", false]);
    expect(page(6, 4)).toEqual(["2345", true]);
  });

  test("H1: for 24 hours after the end, and not a moment longer; the next deadline knows", () => {
    const driver = met({ retainUserMs: 10 * TRANSCRIPT_AGE_MS_MAX });
    const { id } = driver.roomOf("ann");
    talk(driver, "hi");
    driver.open("ann");
    driver.open("bob");
    driver.from(1000);
    driver.leave("ann");
    driver.at(1000 + TRANSCRIPT_AGE_MS_MAX - 1);
    expect(read(driver, "bob", id)).toEqual(["1 ann: hi"]);
    // The message itself, written at 0, went with the mailbox's own bound on age.
    expect(nextDeadline(driver.lobby)).toBe(1000 + TRANSCRIPT_AGE_MS_MAX);
    driver.at(1000 + TRANSCRIPT_AGE_MS_MAX);
    expect(read(driver, "bob", id)).toEqual([]);
    expect(driver.lobby.transcriptBytes).toBe(0);
    expect(nextDeadline(driver.lobby)).toBeUndefined();
  });

  test("H1 T4: the next deadline knows, also when no mailbox remembers", () => {
    const driver = met({ retainUserMs: 5000 });
    talk(driver, "hi");
    driver.open("ann");
    driver.from(1000);
    driver.leave("ann");
    driver.at(TRANSCRIPT_AGE_MS_MAX);
    expect([driver.where("bob"), driver.mailOf("ann")]).toEqual(["forgotten", []]);
    expect(nextDeadline(driver.lobby)).toBe(1000 + TRANSCRIPT_AGE_MS_MAX);
  });

  test("H1: of an open room however old", () => {
    const driver = met();
    const { id } = driver.roomOf("ann");
    driver.open("ann");
    driver.open("bob");
    talk(driver, "hi");
    driver.at(3 * TRANSCRIPT_AGE_MS_MAX);
    expect(read(driver, "bob", id)).toEqual(["1 ann: hi"]);
  });

  test("H1: a message that is answered again is kept once", () => {
    const driver = met();
    driver.send("ann", "hi", { id: "m" });
    driver.send("ann", "hi", { id: "m" });
    expect(kept(driver.roomOf("ann"))).toEqual(["hi"]);
  });
});

describe("bounds", () => {
  test("H2: so many messages of a room, the oldest go first", () => {
    const driver = met({ loopMessagesMax: 0 });
    const room = driver.roomOf("ann");
    for (let i = 1; i <= TRANSCRIPT_MESSAGES_MAX; i++) driver.send("ann", `${i}`);
    expect([room.transcript.length, room.transcript[0]?.body.seq]).toEqual([TRANSCRIPT_MESSAGES_MAX, 1]);
    driver.send("bob", "one more");
    expect([room.transcript.length, room.transcript[0]?.body.seq]).toEqual([TRANSCRIPT_MESSAGES_MAX, 2]);
    // A page ends where the kept ones begin.
    expect(readTranscript(driver.lobby, driver.user("ann"), room.id, 4, 5)).toMatchObject({ hasMore: false });
    expect(read(driver, "ann", room.id, 4, 5)).toEqual(["2 ann: 2", "3 ann: 3"]);
  });

  test("H2: so many bytes of a room, the oldest go first; the latest message stays however long", () => {
    const driver = met();
    const room = driver.roomOf("ann");
    const each = TRANSCRIPT_BYTES_MAX / 4;
    const long = "x".repeat((each - bytesOf({ name: "server.announcement", message: "" })) / 2);
    for (let i = 0; i < 4; i++) driver.send("ann", long);
    expect([room.transcript.length, room.transcriptBytes]).toEqual([4, TRANSCRIPT_BYTES_MAX]);
    driver.send("ann", "");
    expect([room.transcript.length, kept(room).at(-1)]).toEqual([4, ""]);
    driver.send("bob", "y".repeat(TRANSCRIPT_BYTES_MAX));
    expect(kept(room)).toEqual(["y".repeat(TRANSCRIPT_BYTES_MAX)]);
    driver.send("bob", "z");
    expect(kept(room)).toEqual(["z"]);
  });

  /** Rooms of pairs, in the order of their opening; each message of one letter weighs the same. */
  const EACH = bytesOf({ name: "server.announcement", message: "x" });

  test("H3: beyond the bound of all, the rooms closed longest lose theirs first, whole", () => {
    const driver = new LobbyDriver({ transcriptBytesMax: 6 * EACH });
    for (const [a, b] of [
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
    ] as const)
      driver.meet(a, b);
    const [first, second, third] = [driver.roomOf("a"), driver.roomOf("c"), driver.roomOf("e")];
    for (const name of ["a", "b", "c", "d", "e"]) driver.send(name, name);
    // The second closes before the first.
    driver.from(1);
    driver.leave("c");
    driver.from(2);
    driver.leave("a");
    driver.send("f", "f");
    expect(driver.lobby.transcriptBytes).toBe(6 * EACH);
    driver.send("e", "g");
    expect([kept(first), kept(second), kept(third)]).toEqual([["a", "b"], [], ["e", "f", "g"]]);
    for (const text of ["h", "i"]) driver.send("f", text);
    expect([kept(first), kept(third)]).toEqual([[], ["e", "f", "g", "h", "i"]]);
  });

  test("H3: then the rooms open longest lose their oldest messages, whenever those were written", () => {
    const driver = new LobbyDriver({ transcriptBytesMax: 4 * EACH });
    for (const [a, b] of [
      ["a", "b"],
      ["c", "d"],
    ] as const)
      driver.meet(a, b);
    const [first, second] = [driver.roomOf("a"), driver.roomOf("c")];
    for (const text of ["1", "2"]) driver.send("c", text);
    for (const text of ["3", "4"]) driver.send("a", text);
    driver.send("d", "5");
    expect([kept(first), kept(second)]).toEqual([["4"], ["1", "2", "5"]]);
    driver.send("a", "6");
    expect([kept(first), kept(second)]).toEqual([["6"], ["1", "2", "5"]]);
    for (const text of ["7", "8"]) driver.send("d", text);
    expect([kept(first), kept(second)]).toEqual([[], ["2", "5", "7", "8"]]);
  });

  test("H3: a message that alone is too much is not kept, and is delivered all the same", () => {
    const driver = met({ transcriptBytesMax: EACH - 1 });
    driver.send("ann", "x");
    expect([kept(driver.roomOf("ann")), driver.lobby.transcriptBytes]).toEqual([[], 0]);
    expect(driver.mailOf("bob")).toEqual(["found ann", "1: x"]);
  });
});

describe("the end", () => {
  test("H4: a transcript goes with the last record that remembers its room", () => {
    const driver = met({ retainUserMs: 1000 });
    talk(driver, "hi", "hello");
    const { id } = driver.roomOf("ann");
    driver.leave("ann");
    driver.from(500);
    driver.look("bob");
    driver.at(1000);
    expect([driver.where("ann"), read(driver, "bob", id)]).toEqual(["forgotten", ["1 ann: hi", "2 bob: hello"]]);
    driver.at(1500);
    expect([driver.lobby.transcriptBytes, driver.lobby.transcripts.rooms.size]).toEqual([0, 0]);
  });

  test("H4: or when neither member can name the room any more", () => {
    const driver = met();
    const { id } = driver.roomOf("ann");
    talk(driver, "hi");
    for (let i = 0; i <= PAST_ROOMS_MAX; i++) {
      driver.leave("ann");
      driver.meet("ann", "bob");
    }
    expect(driver.lobby.rooms.has(id)).toBe(false);
    expect([read(driver, "ann", id), driver.lobby.transcriptBytes]).toEqual(["room_not_found", 0]);
  });
});

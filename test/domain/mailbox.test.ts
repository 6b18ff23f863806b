/**
 * Mailboxes: offsets, reading, marks, and what is given up when there is too much.
 *
 * This file owns the M rules.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  append,
  emptyMailbox,
  eventsBetween,
  firstOffset,
  type Mailbox,
  readingFrom,
  trim,
} from "../../src/domain/mailbox.ts";
import { sessionReadFrom } from "../../src/domain/users.ts";
import {
  MAILBOX_AGE_MS_MAX,
  MAILBOX_BYTES_MAX,
  MAILBOX_EVENTS_MAX,
  MAILBOX_READ_EVENTS_KEPT,
} from "../../src/limits.ts";
import { LobbyDriver } from "../support/lobby-driver.ts";

/** What an event without text costs a mailbox. */
const EVENT_BYTES = 128;

/** Ann and Bob, who have just met; Bob is the one who reads. */
function met(settings: ConstructorParameters<typeof LobbyDriver>[0] = {}): LobbyDriver {
  const driver = new LobbyDriver(settings);
  driver.meet("ann", "bob");
  return driver;
}

function say({ send }: LobbyDriver, ...texts: string[]): void {
  for (const text of texts) send("ann", text);
}

describe("positions", () => {
  test("M1: offsets rise by one without gaps, from 1 for everybody", () => {
    const driver = met();
    say(driver, "a", "b", "c");
    driver.leave("ann");
    driver.meet("bob", "cat");
    expect(driver.user("bob").mailbox.events.map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(driver.user("ann").mailbox.events.map(({ offset }) => offset)).toEqual([1]);
  });

  test("M1: they go on after events were given up", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(3000), fc.constant(-1)), { maxLength: 60 }), (sizes) => {
        const mailbox = emptyMailbox("epoch___");
        sizes.forEach((size, i) => {
          if (size >= 0) append(mailbox, i, message("x".repeat(size * 20)));
          else mailbox.acknowledged = mailbox.head;
          trim(mailbox);
          expect(mailbox.events.map(({ offset }) => offset)).toEqual(
            mailbox.events.map((_, at) => firstOffset(mailbox) + at),
          );
          expect(mailbox.events.at(-1)?.offset ?? mailbox.head).toBe(mailbox.head);
        });
        expect(mailbox.head).toBe(sizes.filter((size) => size >= 0).length);
      }),
      { seed: 1, numRuns: 100 },
    );
  });
});

describe("bounds of one mailbox", () => {
  test("M2: of too many events the oldest go", () => {
    const mailbox = emptyMailbox("epoch___");
    for (let i = 0; i < MAILBOX_EVENTS_MAX; i++) append(mailbox, i, message(""));
    expect(firstOffset(mailbox)).toBe(1);
    const { bytes } = mailbox;
    append(mailbox, 0, message(""));
    expect(mailbox.bytes).toBe(bytes);
    expect(firstOffset(mailbox)).toBe(2);
    expect(mailbox.events).toHaveLength(MAILBOX_EVENTS_MAX);
    expect(mailbox.bytes).toBe(MAILBOX_EVENTS_MAX * EVENT_BYTES);
  });

  test("M2: of too many bytes the oldest go, and no more than needed", () => {
    const mailbox = emptyMailbox("epoch___");
    const each = (MAILBOX_BYTES_MAX / 8 - EVENT_BYTES) / 2;
    for (let i = 0; i < 8; i++) append(mailbox, i, message("x".repeat(each)));
    expect(mailbox.bytes).toBe(MAILBOX_BYTES_MAX);
    expect(firstOffset(mailbox)).toBe(1);
    append(mailbox, 8, message(""));
    expect(firstOffset(mailbox)).toBe(2);
    append(mailbox, 9, message("x".repeat(3 * each)));
    expect(firstOffset(mailbox)).toBe(4);
    expect(mailbox.bytes).toBeLessThanOrEqual(MAILBOX_BYTES_MAX);
  });

  test("M2: an event too large for the bound is kept alone", () => {
    const mailbox = emptyMailbox("epoch___");
    append(mailbox, 0, message("small"));
    append(mailbox, 1, message("x".repeat(MAILBOX_BYTES_MAX)));
    expect(mailbox.events.map(({ offset }) => offset)).toEqual([2]);
  });

  test("M2: an event is kept for a day, to the millisecond", () => {
    const driver = new LobbyDriver({ retainUserMs: 3 * MAILBOX_AGE_MS_MAX });
    driver.meet("ann", "bob");
    driver.at(1000);
    say(driver, "later");
    driver.at(MAILBOX_AGE_MS_MAX - 1);
    expect(driver.mailOf("bob")).toEqual(["found ann", "1: later"]);
    driver.at(MAILBOX_AGE_MS_MAX);
    expect(driver.mailOf("bob")).toEqual(["1: later"]);
    driver.at(MAILBOX_AGE_MS_MAX + 1000);
    expect(driver.mailOf("bob")).toEqual([]);
    // Ann was told at the moment when Bob was gone.
    driver.at(MAILBOX_AGE_MS_MAX + 899_999);
    expect(driver.mailOf("ann")).toEqual(["gone: timeout"]);
    driver.at(MAILBOX_AGE_MS_MAX + 900_000);
    expect(driver.mailOf("ann")).toEqual([]);
    expect(driver.lobby.mailboxBytes).toBe(0);
  });

  test("M3: of events written to a stream the last hundred are kept", () => {
    const driver = met();
    driver.open("bob");
    for (let i = 1; i < MAILBOX_READ_EVENTS_KEPT; i++) say(driver, "hi");
    expect(driver.mailOf("bob")[0]).toBe("found ann");
    say(driver, "one more");
    expect(driver.mailOf("bob")).toHaveLength(MAILBOX_READ_EVENTS_KEPT);
    expect(driver.mailOf("bob")[0]).toBe("1: hi");
    // Unread ones are kept on top of them.
    driver.close("bob");
    for (let i = 0; i < 20; i++) say(driver, "unread");
    expect(driver.mailOf("bob")).toHaveLength(MAILBOX_READ_EVENTS_KEPT + 20);
  });

  test("M3: of acknowledged events the last hundred are kept", () => {
    const driver = met();
    for (let i = 0; i < 150; i++) say(driver, "hi");
    expect(driver.mailOf("bob")).toHaveLength(151);
    driver.poll("bob", 120);
    expect(firstOffset(driver.user("bob").mailbox)).toBe(21);
    driver.poll("bob", 100);
    expect(firstOffset(driver.user("bob").mailbox)).toBe(21);
  });

  test("M3: a stream that opens loses nothing before it could be read", () => {
    const driver = met();
    for (let i = 0; i < 150; i++) say(driver, "hi");
    driver.open("bob");
    expect(driver.mailOf("bob")).toHaveLength(151);
  });

  test("M3: what a wait has handed out is not acknowledged by that", () => {
    const driver = met();
    for (let i = 0; i < 150; i++) say(driver, "hi");
    expect(driver.poll("bob").read).toHaveLength(151);
    say(driver, "hi");
    expect(driver.mailOf("bob")).toHaveLength(152);
  });
});

describe("reading", () => {
  test("M4: a reader from before the oldest kept event is told, and starts there", () => {
    const driver = met({ mailboxBytesMax: 3 * EVENT_BYTES });
    say(driver, "", "", "", "");
    const told = driver.poll("bob", 1);
    expect(told.truncated).toBe(true);
    expect(told.read).toEqual(driver.mailOf("bob"));
    expect(told.read?.[0]).not.toBe("1: ");
    const { mailbox } = driver.user("bob");
    expect(driver.poll("bob", firstOffset(mailbox) - 1).truncated).toBe(false);
    expect(driver.poll("bob", firstOffset(mailbox)).read).toHaveLength(mailbox.events.length - 1);
  });

  test("M4: also who has read nothing yet, and whose call is held", () => {
    const driver = met({ mailboxBytesMax: 4 * EVENT_BYTES });
    driver.poll("bob");
    driver.hold("bob");
    say(driver, "", "", "", "", "");
    const told = driver.answer("bob");
    expect(told.truncated).toBe(true);
    expect(told.read).toEqual(driver.mailOf("bob"));

    const late = met({ mailboxBytesMax: 4 * EVENT_BYTES });
    say(late, "", "", "", "", "");
    // There is something to say even when nothing is left to hand out: that it is lost.
    expect(late.hold("bob").truncated).toBe(true);
  });

  test("M5: reading after a cursor gives the same events each time, and acknowledges up to it", () => {
    const driver = met();
    say(driver, "a", "b", "c");
    for (let i = 0; i < 3; i++) {
      expect(driver.poll("bob", 2).read).toEqual(["2: b", "3: c"]);
      expect(driver.user("bob").mailbox.acknowledged).toBe(2);
    }
    // An earlier cursor reads again, but takes no acknowledgement back.
    expect(driver.poll("bob", 1).read).toEqual(["1: a", "2: b", "3: c"]);
    expect(driver.user("bob").mailbox.acknowledged).toBe(2);
    expect(driver.poll("bob", 4).read).toEqual([]);
    expect(driver.user("bob").mailbox.acknowledged).toBe(4);
  });

  test("M6: without a cursor it starts after what was last handed out", () => {
    const driver = met();
    say(driver, "a");
    expect(driver.poll("bob").read).toEqual(["found ann", "1: a"]);
    expect(driver.poll("bob").read).toEqual([]);
    say(driver, "b");
    expect(driver.poll("bob").read).toEqual(["2: b"]);
    // Reading again with a cursor hands out too.
    say(driver, "c");
    expect(driver.poll("bob", 1).read).toEqual(["1: a", "2: b", "3: c"]);
    expect(driver.poll("bob").read).toEqual([]);
  });

  test("M6: or after what was acknowledged, if that is more", () => {
    const driver = met();
    say(driver, "a", "b", "c");
    driver.hold("bob", 4);
    expect(driver.user("bob").mailbox.returned).toBe(0);
    driver.hangUp("bob");
    say(driver, "d");
    expect(driver.poll("bob").read).toEqual(["4: d"]);
  });

  test("M7: a cursor of another mailbox or life reads everything kept, truncated", () => {
    const driver = met();
    say(driver, "a");
    const everything = ["found ann", "1: a"];
    for (const cursor of [
      driver.cursorOf("ann"),
      "c1.otherlif.1",
      "c2.whatever",
      "",
      "7",
      "c1..",
      `c1.${"x".repeat(99)}`,
    ]) {
      const told = driver.hold("bob", cursor);
      expect(told.read).toEqual(everything);
      expect(told.truncated).toBe(true);
      expect(driver.user("bob").mailbox.acknowledged).toBe(0);
    }
  });

  test("M7: it is answered at once, even with an empty mailbox", () => {
    const { enter, hold, user } = new LobbyDriver();
    enter("ann");
    expect(hold("ann", "c1.otherlif.1")).toMatchObject({ read: [], truncated: true, hold: undefined });
    expect(user("ann").mailbox.acknowledged).toBe(0);
  });

  test("M7: a cursor from beyond the end, as of a lobby that was set back, is none of this life's either", () => {
    const driver = met();
    say(driver, "a");
    expect(driver.hold("bob", driver.cursorOf("bob", 3))).toMatchObject({
      read: ["found ann", "1: a"],
      truncated: true,
    });
    expect(driver.hold("bob", driver.cursorOf("bob", 2))).toMatchObject({ read: undefined, truncated: false });
    expect(driver.user("bob").mailbox.acknowledged).toBe(2);
  });
});

describe("held calls", () => {
  test("M8: a wait that finds nothing is held, and hands out what came meanwhile", () => {
    const driver = met();
    expect(driver.hold("bob").read).toEqual(["found ann"]);
    const { hold, read } = driver.hold("bob");
    expect(hold).toBe(driver.user("bob").hold?.number ?? 0);
    expect(read).toBeUndefined();
    say(driver, "a", "b");
    const told = driver.answer("bob");
    expect(told.read).toEqual(["1: a", "2: b"]);
    expect(driver.poll("bob").read).toEqual([]);
    // A second end of the same call is about nothing.
    expect(driver.answer("bob", hold).events).toEqual([{ type: "ignored" }]);
  });

  test("M8: answered without anything new, it hands out nothing", () => {
    const driver = met();
    driver.poll("bob");
    driver.hold("bob");
    expect(driver.answer("bob")).toMatchObject({ read: [], truncated: false });
  });

  test("M8: the next wait of its user ends it empty, whether it holds itself or not", () => {
    const driver = met();
    driver.poll("bob");
    const first = driver.hold("bob").hold ?? 0;
    const second = driver.hold("bob");
    expect(second.holdsEnded).toEqual([first]);
    expect(second.hold).not.toBe(first);
    expect(driver.answer("bob", first).events).toEqual([{ type: "ignored" }]);
    expect(driver.user("bob").hold?.number).toBe(second.hold ?? 0);
    say(driver, "a");
    const third = driver.poll("bob");
    expect(third).toMatchObject({ read: ["1: a"], holdsEnded: [second.hold] });
    expect(driver.user("bob").hold).toBeUndefined();
  });

  test("M8: only another wait does, and only one's own", () => {
    const driver = met();
    driver.poll("bob");
    driver.poll("ann");
    const { hold } = driver.hold("bob");
    expect(
      [driver.send("bob", "hi"), driver.look("bob"), driver.hold("ann")].flatMap((told) => told.holdsEnded),
    ).toEqual([]);
    expect(driver.user("bob").hold?.number).toBe(hold ?? 0);
  });

  test("M9: a held call that cannot be answered hands out nothing and moves no mark", () => {
    const driver = met();
    driver.poll("bob");
    driver.hold("bob");
    say(driver, "a");
    const told = driver.hangUp("bob");
    expect(told.read).toBeUndefined();
    expect(told.holdsEnded).toHaveLength(1);
    expect(driver.poll("bob").read).toEqual(["1: a"]);
  });
});

describe("all mailboxes together", () => {
  test("M10: the oldest read events are given up first", () => {
    // Room for five events: two who met, and three messages.
    const driver = met({ mailboxBytesMax: 5 * EVENT_BYTES });
    driver.at(1);
    driver.open("ann");
    for (const i of [2, 3, 4]) {
      driver.at(i);
      driver.send("bob", "");
    }
    expect(driver.mailOf("ann")).toHaveLength(4);
    driver.at(5);
    // Bob's first event is the older one, but unread.
    say(driver, "");
    expect(driver.mailOf("ann")).toEqual(["1: ", "2: ", "3: "]);
    expect(driver.mailOf("bob")).toEqual(["found ann", "4: "]);
  });

  test("M10: without read ones the oldest unread of all go, whosever they are", () => {
    const driver = met({ mailboxBytesMax: 6 * EVENT_BYTES });
    for (const i of [1, 2, 3, 4]) {
      driver.at(i);
      driver.send(i % 2 === 0 ? "ann" : "bob", "");
    }
    driver.at(5);
    driver.send("ann", "x".repeat(2 * EVENT_BYTES));
    // That weighs as much as five events: both first ones go, then what was said to Ann and Bob in turn.
    expect(driver.mailOf("ann")).toEqual([]);
    expect(driver.mailOf("bob")).toEqual(["4: ", `5: ${"x".repeat(2 * EVENT_BYTES)}`]);
    expect(driver.lobby.mailboxBytes).toBe(6 * EVENT_BYTES);
  });

  test("M10: one mailbox is not emptied while older events of another are kept", () => {
    const driver = met({ mailboxBytesMax: 6 * EVENT_BYTES });
    driver.at(1);
    driver.send("bob", "");
    driver.at(2);
    driver.send("ann", "");
    driver.at(3);
    driver.send("ann", "x".repeat(EVENT_BYTES));
    driver.at(4);
    driver.send("bob", "");
    expect(driver.mailOf("ann")).toEqual(["1: ", "4: "]);
    expect(driver.mailOf("bob")).toEqual(["2: ", `3: ${"x".repeat(EVENT_BYTES)}`]);
  });

  test("M10: even one event that is larger than everything is allowed to be", () => {
    const driver = met({ mailboxBytesMax: 2 * EVENT_BYTES });
    say(driver, "x".repeat(1000));
    expect(driver.lobby.mailboxBytes).toBe(0);
    expect(driver.poll("bob")).toMatchObject({ read: [], truncated: true });
  });
});

describe("where a session's stream starts", () => {
  /** Ann talks to Bob, who is bound to sessions one and two. */
  function withSessions(): LobbyDriver {
    const driver = met();
    const bearer = driver.tokenOf("bob");
    for (const session of ["one", "two"]) driver.look("bob", { by: { bearer, session } });
    say(driver, "a", "b", "c");
    return driver;
  }
  const startOf = ({ lobby }: LobbyDriver, session: string) => sessionReadFrom(lobby, session)?.from;

  test("M11: before everything, as long as nothing is known to have been read", () => {
    const driver = withSessions();
    driver.open("bob", { session: "one" });
    driver.poll("bob");
    driver.close("bob", { session: "one" });
    expect([startOf(driver, "one"), startOf(driver, "two")]).toEqual([0, 0]);
    expect(startOf(driver, "nobody's")).toBeUndefined();
  });

  test("M11: after what its own streams are known to have been read up to", () => {
    const driver = withSessions();
    driver.open("bob", { session: "one" });
    driver.close("bob", { session: "one", read: 3 });
    expect([startOf(driver, "one"), startOf(driver, "two")]).toEqual([3, 0]);
    driver.open("bob", { session: "two", read: 2 });
    expect([startOf(driver, "one"), startOf(driver, "two")]).toEqual([3, 2]);
    driver.close("bob", { session: "two", read: 1 });
    expect(startOf(driver, "two")).toBe(2);
    // Nobody has read what is not there yet.
    driver.open("bob", { session: "two", read: 99 });
    expect(startOf(driver, "two")).toBe(4);
  });

  test("M11: after what was acknowledged, whichever way", () => {
    const driver = withSessions();
    driver.poll("bob", 2);
    expect([startOf(driver, "one"), startOf(driver, "two")]).toEqual([2, 2]);
  });

  test("M11: a session bound later starts after what some stream has been read up to", () => {
    const driver = withSessions();
    driver.open("bob");
    driver.close("bob", { read: 3 });
    driver.look("bob", { by: { bearer: driver.tokenOf("bob"), session: "three" } });
    expect([startOf(driver, "one"), startOf(driver, "three")]).toEqual([0, 3]);
  });
});

test("M1 M4: whatever a reader asks for, what they get is in order and what is missing is told", () => {
  const bytes = fc.nat(MAILBOX_BYTES_MAX / 4);
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 30 }), fc.integer({ min: -1, max: 35 }), (sizes, wanted) => {
      const mailbox: Mailbox = emptyMailbox("epoch___");
      for (const size of sizes) append(mailbox, 0, message("x".repeat(size)));
      const after = Math.min(wanted, mailbox.head);
      const { from, truncated } = readingFrom(mailbox, after);
      const read = eventsBetween(mailbox, from, mailbox.head).map(({ offset }) => offset);
      expect(read).toEqual(mailbox.events.map(({ offset }) => offset).filter((offset) => offset > after));
      expect(truncated).toBe(after < 0 || (read[0] ?? mailbox.head + 1) !== after + 1);
    }),
    { seed: 1, numRuns: 200 },
  );
});

function message(text: string): Parameters<typeof append>[2] {
  const sender = { userId: "user_a", displayName: "ann", kind: "unknown" } as const;
  return { name: "message.received", room: "room_r", messageId: "msg_m", seq: 1, message: text, sender };
}

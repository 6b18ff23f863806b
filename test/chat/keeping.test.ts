/**
 * The chat over a journal on disk: a life, a sudden end, and the next life.
 *
 * This file owns what the chat itself does about it. The rules of restarts are the domain's, the files the
 * journal's.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LobbyReplica } from "../../src/chat/lobby-replica.ts";
import type { ChatServerOptions } from "../../src/chat/server.ts";
import { freeze } from "../../src/domain/freeze.ts";
import { compactElsewhere } from "../../src/journal/compaction.ts";
import { DiskJournal, type DiskJournalOptions } from "../../src/journal/disk.ts";
import { JOURNAL_PULSE_MS } from "../../src/journal-limits.ts";
import { GREETER_WAIT_MS, SESSION_AGE_MS_MAX } from "../../src/limits.ts";
import { ChatWorld, HandClock, LOBBY_SETTINGS } from "../support/chat-world.ts";
import { CHECKOUT, temporaryFolder } from "../support/program.ts";

/** One life of a server on a folder. Nothing of it rings in the next one. */
class Life {
  readonly world: ChatWorld;
  readonly journal: DiskJournal;
  readonly clock: HandClock;
  readonly options: DiskJournalOptions;

  constructor(
    path: string,
    clock: HandClock,
    options: Partial<ChatServerOptions> = {},
    journal: Partial<DiskJournalOptions> = {},
  ) {
    this.clock = clock;
    const kept = new LobbyReplica();
    const fail = (problem: Error): never => {
      throw problem;
    };
    this.options = {
      path,
      durability: "normal",
      replica: kept,
      makeReplica: () => new LobbyReplica(),
      now: () => clock.now(),
      compact: async () => undefined,
      onFailure: fail,
      onTrouble: fail,
      ...journal,
    };
    this.journal = DiskJournal.open(this.options);
    this.world = new ChatWorld({}, { journal: this.journal, kept, clock, ...options });
  }

  /** Ends as a process does that is killed, once everything is safe. @returns the clock of the next life */
  async end(downMs = 0): Promise<HandClock> {
    expect(this.journal.makeSafe()).toBe(true);
    this.journal.directory.release();
    const next = new HandClock();
    await next.pass(this.clock.now() - next.now() + downMs);
    return next;
  }
}

test("people are where they were, and the server knows until when it lived, to a few seconds", async () => {
  const path = temporaryFolder();
  const first = new Life(path, new HandClock());
  const { clock } = first;
  const { ann } = await first.world.pair();
  await first.world.ask("send_message", { session_token: ann, message: "before" });
  const spoke = clock.now();
  // Nothing happens for a while: signs of life alone are kept.
  await clock.pass(10 * JOURNAL_PULSE_MS + 1000);
  expect(first.world.lobby.now).toBeGreaterThanOrEqual(clock.now() - JOURNAL_PULSE_MS);
  const silence = clock.now() - spoke;
  const second = new Life(path, await first.end(24 * 3_600_000));
  expect(second.world.lobby.users.size).toBe(2);
  const user = [...second.world.lobby.users.values()][0];
  const silent = second.clock.now() - (user?.lastCallAt ?? 0);
  expect(silent).toBeLessThanOrEqual(silence);
  expect(silent).toBeGreaterThan(silence - JOURNAL_PULSE_MS);
  expect(await second.world.ask("send_message", { session_token: ann, message: "after" })).toMatchObject({ seq: 2 });
  await second.end();
});

test("calls of nobody are not kept, however many; calls of users are, refused or not", async () => {
  const path = temporaryFolder();
  const life = new Life(path, new HandClock());
  const { ann } = await life.world.pair();
  await life.journal.whenSafe();
  const { entries } = life.journal.tail;
  for (let n = 0; n < 50; n++) await life.world.ask("leave_queue", n % 2 ? {} : { session_token: `mcpc_${n}` });
  await life.journal.whenSafe();
  expect(life.journal.tail.entries).toBe(entries);
  expect(await life.world.ask("leave_queue", { session_token: ann })).toMatchObject({ error: { code: "not_waiting" } });
  await life.journal.whenSafe();
  expect(life.journal.tail.entries).toBe(entries + 1);
  await life.end();
});

test("settings of the new life hold", async () => {
  const path = temporaryFolder();
  const clock = await new Life(path, new HandClock()).end();
  const second = new Life(path, clock, { lobby: { ...LOBBY_SETTINGS, usersMax: 2 } });
  await second.world.pair();
  expect(await second.world.ask("enter_queue")).toMatchObject({ error: { code: "server_full" } });
  await second.end();
});

describe("snapshots", () => {
  const main = join(CHECKOUT, "src/main.ts");
  const elsewhere = compactElsewhere((path, before) => [
    process.execPath,
    main,
    "compact-journal",
    path,
    String(before),
  ]);

  test("are made by another process, from which a lobby goes on as if nothing had been", async () => {
    const path = temporaryFolder();
    const first = new Life(path, new HandClock(), {}, { segmentEntriesMax: 20, compact: elsewhere });
    const { ann, bob } = await first.world.pair();
    for (let n = 1; n <= 60; n++) {
      await first.world.ask("send_message", { session_token: n % 2 ? ann : bob, message: `${n}` });
      if (n === 30) await first.journal.idle();
    }
    await first.journal.idle();
    expect(first.journal.directory.snapshots).toHaveLength(1);
    expect(first.journal.tail.entries).toBeLessThan(25);
    const before = [...freeze(first.world.lobby)];
    const second = new LobbyReplica();
    await first.end();
    const journal = DiskJournal.open({ ...first.options, replica: second });
    expect([...second.rows()]).toEqual(before);
    journal.directory.release();
  }, 30_000);

  test("that cannot be made are told of, in the words of whoever tried", async () => {
    const path = temporaryFolder();
    const troubles: string[] = [];
    const life = new Life(
      path,
      new HandClock(),
      {},
      {
        segmentEntriesMax: 2,
        compact: compactElsewhere(() => ["sh", "-c", "echo 'no memory' >&2; exit 3"]),
        onTrouble: ({ message }) => troubles.push(message),
      },
    );
    await life.world.pair();
    await life.journal.idle();
    expect(troubles).toEqual(["cannot make a snapshot: no memory"]);
    await life.end();
  });
});

describe("what one process knows", () => {
  test("the greeter comes for those who waited before, too", async () => {
    const path = temporaryFolder();
    const first = new Life(path, new HandClock(), { greeter: true });
    const { session_token } = await first.world.ask("enter_queue", { display_name: "Ann" });
    const me = { session_token: String(session_token) };
    const second = new Life(path, await first.end(60_000), { greeter: true });
    expect(await second.world.ask("chat_status", me)).toMatchObject({ status: "waiting" });
    await second.clock.pass(GREETER_WAIT_MS);
    expect(await second.world.ask("chat_status", me)).toMatchObject({ status: "chatting" });
    await second.end();
  });

  test("a session that belongs to a user is in use as long as the user is", async () => {
    const path = temporaryFolder();
    const first = new Life(path, new HandClock());
    await first.world.ask("enter_queue", {}, { session: "s1" });
    const second = new Life(path, await first.end(2 * SESSION_AGE_MS_MAX));
    const { sessions } = second.world.server.definition;
    expect(sessions.usedAt?.("s1")).toBeGreaterThan(second.clock.now() - JOURNAL_PULSE_MS);
    expect(sessions.usedAt?.("s2")).toBeUndefined();
    await second.end();
  });
});

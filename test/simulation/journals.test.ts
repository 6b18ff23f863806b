/**
 * The same worlds on every journal: whatever people do goes through the journal, in lockstep with the model, and
 * what the journal has kept is at any time what has happened.
 *
 * This file owns the way through the journals. Time is the world's, but in Redis, whose clock nobody sets.
 */
import { expect, test } from "bun:test";
import { LobbyReplica } from "../../src/chat/lobby-replica.ts";
import type { Command, Entry } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import { RULES_VERSION } from "../../src/domain/nodes.ts";
import type { Lobby } from "../../src/domain/state.ts";
import { compact } from "../../src/journal/compaction.ts";
import { DiskJournal } from "../../src/journal/disk.ts";
import type { JournalFault } from "../../src/journal/fault.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import { RedisJournal } from "../../src/journal/redis.ts";
import { compactRedis } from "../../src/journal/redis-compaction.ts";
import { testAloneWith } from "../support/client-optional.ts";
import { Lockstep } from "../support/lobby-lockstep.ts";
import { Random } from "../support/lobby-random.ts";
import { temporaryFolder } from "../support/program.ts";
import { REDIS_PROGRAMS, RedisServer } from "../support/redis-server.ts";
import { SharedMemory } from "../support/shared-journal.ts";
import { World } from "./world.ts";

const STEPS = 400;
const TEST_MS_MAX = 60_000;

function fail(fault: JournalFault): never {
  throw fault;
}

/** The first worlds of one process, from a seed on. */
function* worlds(count: number): Generator<World> {
  for (let seed = 1; count > 0; seed++) {
    const world = new World(seed);
    if (world.isCluster) continue;
    count--;
    yield world;
  }
}

const textOf = (replica: LobbyReplica): string => JSON.stringify([...replica.rows()]);

/** What a world does next, if it is anything but a restart. */
function nextOf(world: World, lobby: Lobby): Command | undefined {
  const { command } = world.next(lobby);
  return command.type === "restart" ? undefined : command;
}

test(
  "in memory",
  async () => {
    for (const world of worlds(12)) {
      const state = Lockstep.start(world.settings);
      const journal = createMemoryJournal(() => world.now);
      for (let i = 0; i < STEPS; i++) {
        await journal.append(world.next(state.lobby).command, (entry) =>
          world.learn(entry, state.apply(entry), state.lobby),
        );
      }
      state.compareAll();
    }
  },
  TEST_MS_MAX,
);

test(
  "on disk: every restart is one of the process, which finds what was there, from snapshot and tail",
  async () => {
    let lives = 0;
    for (const world of worlds(12)) {
      const path = temporaryFolder();
      const open = (replica: LobbyReplica): DiskJournal =>
        DiskJournal.open({
          path,
          durability: "normal",
          replica,
          makeReplica: () => new LobbyReplica(),
          now: () => world.now,
          compact: async (_directory, before) => compact(path, before, new LobbyReplica()),
          onFailure: fail,
          onTrouble: fail,
          segmentEntriesMax: 70,
        });
      let replica = new LobbyReplica();
      let journal = open(replica);
      let state = Lockstep.start(world.settings);
      const apply = (entry: Entry): void => world.learn(entry, state.apply(entry), state.lobby);
      state = new Lockstep(replica.begin(world.settings), state.model);
      const reopen = async (): Promise<void> => {
        expect(journal.makeSafe()).toBe(true);
        await journal.idle();
        journal.directory.release();
        const before = textOf(replica);
        replica = new LobbyReplica();
        journal = open(replica);
        expect(textOf(replica)).toBe(before);
        state = new Lockstep(replica.begin(world.settings), state.model);
        lives++;
      };
      journal.append({ type: "restart", settings: world.settings }, apply);
      for (let i = 0; i < STEPS; i++) {
        const { command } = world.next(state.lobby);
        if (command.type === "restart") await reopen();
        journal.append(command, apply);
        if (i % 5 === 0) await journal.whenSafe();
      }
      await reopen();
      state.compareAll();
      journal.directory.release();
    }
    expect(lives).toBeGreaterThan(20);
  },
  TEST_MS_MAX,
);

/** What the worlds of several nodes need of a journal. */
interface SharedNode {
  readonly replica: LobbyReplica;
  readonly journal: Pick<RedisJournal, "append" | "follow" | "settled" | "applied">;
}

/** Everybody's deeds come in at any of the nodes; the first one is in lockstep with the model. */
async function liveOn(world: World, nodes: readonly SharedNode[], random: Random, steps: number): Promise<void> {
  const [first] = nodes;
  if (first === undefined) throw new Error("there is no node");
  const start = Lockstep.start(world.settings);
  const state = new Lockstep(first.replica.begin(world.settings), start.model);
  let last: { readonly entry: Entry; readonly events: readonly LobbyEvent[] } | undefined;
  const applies = nodes.map(({ replica }) => {
    replica.begin(world.settings);
    return (entry: Entry): void => {
      if (replica === first.replica) last = { entry, events: state.apply(entry) };
      else replica.apply(entry);
    };
  });
  const submit = async (at: number, command: Command): Promise<void> => {
    const [node, apply] = [nodes[at], applies[at]];
    if (node === undefined || apply === undefined) return;
    await node.journal.append(command, apply);
    await first.journal.settled();
    if (last !== undefined) world.learn(last.entry, last.events, state.lobby);
  };
  for (const [i, { journal }] of nodes.entries()) {
    const apply = applies[i];
    if (apply !== undefined) journal.follow(apply);
  }
  for (const i of nodes.keys()) await submit(i, { type: "join_node", settings: world.settings, rules: RULES_VERSION });
  for (let i = 0; i < steps; i++) {
    const command = nextOf(world, state.lobby);
    if (command !== undefined) await submit(random.below(nodes.length), command);
  }
  state.compareAll();
  for (const { journal } of nodes) await journal.settled();
  for (const { replica, journal } of nodes) {
    expect(journal.applied).toBe(first.journal.applied);
    expect(textOf(replica)).toBe(textOf(first.replica));
  }
}

test(
  "in memory that three nodes share: all of them are the same at the end",
  async () => {
    for (const world of worlds(6)) {
      const shared = new SharedMemory(6, () => world.now);
      const nodes = [1, 2, 3].map(() => {
        const replica = new LobbyReplica();
        return { replica, journal: shared.open() };
      });
      await liveOn(world, nodes, new Random(5), STEPS);
    }
  },
  TEST_MS_MAX,
);

testAloneWith(
  REDIS_PROGRAMS,
  "in Redis, on three nodes, with snapshots on the way: all of them are the same, and so is one that comes late",
  async () => {
    for (const world of worlds(4)) {
      await using server = await RedisServer.start();
      const open = async (leads: boolean): Promise<{ replica: LobbyReplica; journal: RedisJournal }> => {
        const replica = new LobbyReplica();
        const journal = await RedisJournal.open({
          url: server.url,
          replica,
          leads: () => leads,
          compact: (id, mark) => compactRedis(server.url, id, mark, new LobbyReplica()),
          onFailure: fail,
          // That this Redis keeps nothing is known.
          onTrouble: () => undefined,
          onNote: () => undefined,
          tailEntriesMax: 150,
        });
        return { replica, journal };
      };
      const nodes = [await open(true), await open(false), await open(false)];
      await liveOn(world, nodes, new Random(4), STEPS);
      const late = await open(false);
      expect(textOf(late.replica)).toBe(textOf(nodes[0]?.replica ?? late.replica));
      expect(nodes[0]?.journal.figures).toMatchObject({ snapshotFailures: 0, reloads: 0 });
      expect(nodes[0]?.journal.figures.snapshots).toBeGreaterThan(0);
      for (const { journal } of [...nodes, late]) await journal.close();
    }
  },
  TEST_MS_MAX,
);

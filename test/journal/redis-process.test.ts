/**
 * A snapshot of the journal in Redis, made by the program itself in a process of its own.
 */
import { expect } from "bun:test";
import { join } from "node:path";
import { LobbyReplica } from "../../src/chat/lobby-replica.ts";
import { COMPACT_COMMAND } from "../../src/cli.ts";
import { step } from "../../src/domain/lobby.ts";
import { RULES_VERSION } from "../../src/domain/nodes.ts";
import type { JournalFault } from "../../src/journal/fault.ts";
import { RedisJournal } from "../../src/journal/redis.ts";
import { LOBBY_SETTINGS } from "../support/chat-world.ts";
import { testWith } from "../support/client-optional.ts";
import { CHECKOUT, run } from "../support/program.ts";
import { REDIS_PROGRAMS, RedisServer } from "../support/redis-server.ts";

function fail(fault: JournalFault): never {
  throw fault;
}

async function open(url: string, replica: LobbyReplica): Promise<RedisJournal> {
  const ignore = (): void => undefined;
  const compact = async (): Promise<void> => undefined;
  return RedisJournal.open({
    url,
    replica,
    leads: () => false,
    compact,
    onFailure: fail,
    onTrouble: ignore,
    onNote: ignore,
  });
}

testWith(
  REDIS_PROGRAMS,
  "the program makes a snapshot that the next node begins with, if it gives what it gave on the node",
  async () => {
    await using server = await RedisServer.start({ settings: { requirepass: "not-on-a-command-line" } });
    const replica = new LobbyReplica();
    const journal = await open(server.url, replica);
    const lobby = replica.begin(LOBBY_SETTINGS);
    journal.follow((entry) => step(lobby, entry));
    await journal.append({ type: "join_node", settings: LOBBY_SETTINGS, rules: RULES_VERSION }, (entry) =>
      step(lobby, entry),
    );
    for (let n = 0; n < 40; n++) {
      const newToken = `token-${n}`;
      await journal.append({ type: "enter_queue", caller: {}, newToken, displayName: `n${n}` }, (entry) =>
        step(lobby, entry),
      );
    }
    const compact = (mark: number) =>
      run([process.execPath, join(CHECKOUT, "src/main.ts"), COMPACT_COMMAND, "--redis", journal.applied, `${mark}`], {
        env: { MCP_CHAT_REDIS: server.url },
      });
    const wrong = await compact(replica.mark + 1);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toBe(`entry ${journal.applied} in Redis does not give what it gave on the node\n`);
    const right = await compact(replica.mark);
    expect([right.code, right.stderr]).toEqual([0, ""]);
    expect(Number(await server.command("XLEN", "{mcp-chat}:journal"))).toBeLessThan(40);

    const late = new LobbyReplica();
    const beside = await open(server.url, late);
    expect(beside.figures.entries).toBe(0);
    expect([...late.rows()]).toEqual([...replica.rows()]);
    await journal.close();
    await beside.close();
  },
  30_000,
);

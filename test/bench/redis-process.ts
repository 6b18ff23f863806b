/**
 * A Redis for one server under test, as README.md advises to run it for a journal: a program of its own, in a
 * folder of its own, on a port of the machine's choosing.
 *
 * This file owns that process and how it is started and asked. It must never stay, and never share the
 * server's core: what Redis does there would count as the server's.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { RedisConnection } from "../../src/journal/redis-connection.ts";
import { JOURNAL_KEY } from "../../src/journal/redis-stream.ts";
import { TURN_COMMANDS_MAX } from "../../src/journal-limits.ts";
import { freePort } from "../support/free-port.ts";
import { cleanEnvironment, end, keepTrack, onCore, within } from "./child.ts";

const PROGRAM = "redis-server";

/** Times another port is tried, should somebody take the one that was free. */
const ATTEMPTS = 3;
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5000;
/** Between two questions whether it answers by now. */
const ASK_MS = 20;

/** When what is appended has to be on the disk: before the answer, or within a second. */
export type Fsync = "always" | "everysec";

/** Whether there is a Redis on this machine at all. */
export const hasRedis = (): boolean => Bun.which(PROGRAM) !== null;

/** A Redis that answers. */
export class RedisProcess implements AsyncDisposable {
  readonly url: string;
  readonly #child: Bun.Subprocess;

  private constructor(child: Bun.Subprocess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /**
   * Starts one that has nothing yet, and waits until it answers.
   * @param parent where its folder is made
   */
  static async start(parent: string, fsync: Fsync): Promise<RedisProcess> {
    for (let attempt = 1; ; attempt++) {
      const folder = mkdtempSync(join(parent, "redis-"));
      const port = freePort();
      const url = `redis://127.0.0.1:${port}/0`;
      const child = keepTrack(
        Bun.spawn(onCore("load", [PROGRAM, ...settingsOf(folder, port, fsync)]), {
          cwd: folder,
          env: cleanEnvironment(),
          stdio: ["ignore", Bun.file(join(folder, "redis.log")), "inherit"],
        }),
      );
      try {
        await within(`the start of ${PROGRAM}`, START_MS_MAX, answers(child, url));
        return new RedisProcess(child, url);
      } catch (problem) {
        child.kill("SIGKILL");
        if (attempt === ATTEMPTS) throw problem;
      }
    }
  }

  /** @throws unless so many messages can be in the journal that is kept here */
  async checkKept(messages: number): Promise<void> {
    const connection = await RedisConnection.open(this.url);
    try {
      const info = (await connection.send("XINFO", ["STREAM", JOURNAL_KEY])) as Record<string, unknown>;
      // Counts what has been trimmed since, too. A message is a command at least, and a turn has a bounded number.
      const turns = Number(info["entries-added"]);
      if (!(turns * TURN_COMMANDS_MAX >= messages)) throw new Error(`${turns} turns in Redis for ${messages} messages`);
    } finally {
      connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child, STOP_MS_MAX);
  }
}

function settingsOf(folder: string, port: number, fsync: Fsync): string[] {
  const all = {
    port: String(port),
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "yes",
    appendfsync: fsync,
    "maxmemory-policy": "noeviction",
  };
  return Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
}

async function answers(child: Bun.Subprocess, url: string): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    // It opens only once it has answered a PING.
    const connection = await RedisConnection.open(url).catch(() => undefined);
    if (connection !== undefined) return connection.close();
    await Bun.sleep(ASK_MS);
  }
  throw new Error(`${PROGRAM} has ended with ${child.exitCode ?? child.signalCode} before it answered`);
}

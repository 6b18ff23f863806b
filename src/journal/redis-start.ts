/**
 * The first look at a Redis: whether it can be reached and is one that a journal can be kept in, and what the
 * operator should know about how it is set. Begins the journal if there is none.
 *
 * This file owns the words for what is wrong. None may repeat a password.
 */
import { Socket } from "node:net";
import { LOSS_CENSUS_MS, REDIS_CONNECT_MS_MAX, REDIS_RETRY_MS, REDIS_START_MS_MAX } from "../journal-limits.ts";
import { JournalFault } from "./fault.ts";
import { RedisConnection, RedisGone, RedisRefusal } from "./redis-connection.ts";
import { latestSnapshot } from "./redis-snapshots.ts";
import {
  JOURNAL_KEY,
  lastIdOf,
  lastProcessOf,
  NOWHERE,
  processOf,
  SESSION_KEY_KEY,
  whisperChannel,
} from "./redis-stream.ts";
import { ANCHOR_KIND } from "./redis-turn.ts";

/** Bytes of the key that seals sessions. */
const KEY_BYTES = 32;
/** So often a Redis may hang up before it is believed that it means it. */
const CLOSED_MAX = 4;

/** The parts of an address that may be told. */
export interface RedisAddress {
  readonly name: string;
  readonly database: number;
  /** Where it listens; undefined = at a socket of the file system. */
  readonly port: { readonly host: string; readonly number: number } | undefined;
}

/** @throws JournalFault if it is no address of a Redis */
export function parseAddress(url: string): RedisAddress {
  const parts = URL.parse(url);
  if (parts === null || !/^(?:redis|valkey)(?:s|\+tls)?(?:\+unix)?:$/.test(parts.protocol)) {
    throw new JournalFault("the address of Redis is to be like redis://host:6379/0");
  }
  if (parts.protocol.includes("+unix")) return { name: parts.pathname, database: 0, port: undefined };
  const database = parts.pathname.replace("/", "");
  if (parts.hostname === "" || !/^\d{0,5}$/.test(database)) {
    throw new JournalFault("the address of Redis is to be like redis://host:6379/0");
  }
  const port = { host: parts.hostname, number: Number(parts.port || 6379) };
  return { name: `${port.host}:${port.number}`, database: Number(database), port };
}

/** What a look at Redis has found. */
export interface RedisFound {
  /** Seals sessions, on all nodes. */
  readonly sessionKey: Uint8Array;
  /** Whether the end of the journal may be missing, with nobody there who remembers it. */
  readonly mayLackEnd: boolean;
  /** What an operator should know, a line each. */
  readonly warnings: readonly string[];
}

/**
 * Waits until Redis is there, for a while, and sees to it that there is a journal.
 * @throws JournalFault in words for the operator
 */
export async function prepareRedis(url: string): Promise<RedisFound> {
  const address = parseAddress(url);
  const end = performance.now() + REDIS_START_MS_MAX;
  let closed = 0;
  for (;;) {
    let connection: RedisConnection | undefined;
    try {
      connection = await RedisConnection.open(url);
      return await prepare(connection, address);
    } catch (problem) {
      if (problem instanceof RedisRefusal && problem.word !== "LOADING") throw refusal(address, problem);
      if (!(problem instanceof RedisGone) && !(problem instanceof RedisRefusal)) throw problem;
      const code = await knock(address.port);
      // It is there and hangs up: it will do so again.
      if (code === "open" && problem instanceof RedisGone) closed++;
      if (performance.now() > end || closed === CLOSED_MAX) throw unreachable(address, problem, code);
    } finally {
      connection?.close();
    }
    await Bun.sleep(REDIS_RETRY_MS);
  }
}

async function prepare(connection: RedisConnection, address: RedisAddress): Promise<RedisFound> {
  const type = await connection.send("TYPE", [JOURNAL_KEY]);
  if (type !== "none" && type !== "stream") {
    throw new JournalFault(`${address.name}: ${JOURNAL_KEY} in database ${address.database} is not mcp-chat's`);
  }
  const isAlone = (await listenersOf(connection, address)) === 0;
  if (type === "none") await begin(connection, address);
  const mayLackEnd = isAlone && (await wasStartedAnew(connection));
  const warnings = await warningsOf(connection, address);
  if (mayLackEnd) {
    warnings.push(`${address.name} was started anew with no node there: what was said last may be missing`);
  }
  return { sessionKey: await sharedSessionKey(connection), mayLackEnd, warnings };
}

/** Whether Redis has been another process since a node last was there, and does not keep every entry before it answers. */
async function wasStartedAnew(connection: RedisConnection): Promise<boolean> {
  const before = await lastProcessOf(connection);
  if (before === undefined) return false;
  const now = await processOf(connection);
  if (now !== "" && now === before) return false;
  const told = await connection.send("CONFIG", ["GET", "append*"]).catch((problem: unknown) => {
    if (problem instanceof RedisRefusal) return {};
    throw problem;
  });
  const { appendonly, appendfsync } = told as Record<string, unknown>;
  return appendonly !== "yes" || appendfsync !== "always";
}

/** Nodes that are there now. */
async function listenersOf(connection: RedisConnection, { database }: RedisAddress): Promise<number> {
  const [, count] = (await connection.send("PUBSUB", ["NUMSUB", whisperChannel(database)])) as [string, number];
  return count;
}

/** Begins the stream, unless nodes are there that are about to bring it back. */
async function begin(connection: RedisConnection, address: RedisAddress): Promise<void> {
  for (let ms = 0; ms < 3 * LOSS_CENSUS_MS; ms += REDIS_RETRY_MS) {
    if ((await listenersOf(connection, address)) === 0) break;
    await Bun.sleep(REDIS_RETRY_MS);
    if ((await lastIdOf(connection)) !== NOWHERE) return;
  }
  const snapshot = await latestSnapshot(connection);
  const place = snapshot === NOWHERE ? "*" : snapshot;
  await connection.send("XADD", [JOURNAL_KEY, place, ANCHOR_KIND, ""]);
}

/** The key that seals sessions: drawn by whichever node comes first. */
async function sharedSessionKey(connection: RedisConnection): Promise<Uint8Array> {
  await shareSessionKey(connection, crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
  const key = Buffer.from(String(await connection.send("GET", [SESSION_KEY_KEY])), "base64url");
  if (key.length !== KEY_BYTES) throw new JournalFault(`${SESSION_KEY_KEY} in Redis is damaged`);
  return new Uint8Array(key);
}

/** Writes the key down if none is there. */
export async function shareSessionKey(connection: RedisConnection, key: Uint8Array): Promise<void> {
  await connection.send("SET", [SESSION_KEY_KEY, Buffer.from(key).toString("base64url"), "NX"]);
}

/** How surely Redis keeps what it is given. It may forbid to ask. */
async function warningsOf(connection: RedisConnection, { name }: RedisAddress): Promise<string[]> {
  const info = await connection.send("INFO", ["everything"]).then(String, () => "");
  const fieldOf = (field: string): string | undefined => new RegExp(`^${field}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const policy = fieldOf("maxmemory_policy");
  const warnings: string[] = [];
  if (fieldOf("aof_enabled") === "0") {
    warnings.push(`${name} keeps no append-only file: what all nodes and Redis forget at once is lost`);
  }
  if (policy !== undefined && policy !== "noeviction" && !policy.startsWith("volatile")) {
    warnings.push(`${name} may throw the journal away when its memory is full: set maxmemory-policy noeviction`);
  }
  return warnings;
}

function refusal({ name, database }: RedisAddress, { word, message }: RedisRefusal): JournalFault {
  const reasons: Readonly<Record<string, string>> = {
    NOAUTH: "it asks for a password",
    WRONGPASS: "user name or password are wrong",
    NOPERM: "the user may not do what a journal needs",
    OOM: "its memory is full",
    MISCONF: "it cannot write to its disk",
    READONLY: "it is a replica, which takes nothing",
    MOVED: "it is one of a cluster that holds the journal elsewhere",
  };
  const isDatabase = /DB index/i.test(message);
  const reason = isDatabase ? `it has no database ${database}` : (reasons[word] ?? `it says ${word}`);
  return new JournalFault(`cannot use Redis at ${name}: ${reason}`);
}

function unreachable({ name }: RedisAddress, problem: unknown, code: string): JournalFault {
  if (problem instanceof RedisRefusal) return new JournalFault(`cannot use Redis at ${name}: it is still loading`);
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: "nobody listens there",
    ENOTFOUND: "there is no such host",
    EAI_AGAIN: "there is no such host",
    late: "no answer",
    open: "it does not take the connection: see user name, password and whether it wants TLS",
  };
  return new JournalFault(`cannot reach Redis at ${name}: ${reasons[code] ?? code}`);
}

/** The client does not say why it could not connect, so it is tried how far one comes: the system's code, or a word. */
function knock(port: RedisAddress["port"]): Promise<string> {
  if (port === undefined) return Promise.resolve("unknown reason");
  return new Promise((resolve) => {
    const socket = new Socket();
    const end = (code: string): void => {
      socket.destroy();
      resolve(code);
    };
    socket.setTimeout(REDIS_CONNECT_MS_MAX, () => end("late"));
    socket.once("error", (problem) => end("code" in problem ? String(problem.code) : "unknown reason"));
    socket.connect(port.number, port.host, () => end("open"));
  });
}

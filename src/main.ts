#!/usr/bin/env bun
/**
 * The composition root: builds the parts, wires them, prints what a newcomer needs and handles
 * signals. The only file that knows everything.
 *
 * This file owns the process: its exit codes, stdout and signals. It must never hold a rule of the
 * chat or of the protocol.
 */
import { type Admin, createAdmin } from "./admin/admin.ts";
import type { AdminCommand } from "./admin-client/command.ts";
import { runAdmin } from "./admin-client/run.ts";
import { banner } from "./banner.ts";
import { startBridge } from "./bridge/bridge.ts";
import { systemClock } from "./chat/alarm-clock.ts";
import { type ChatServer, createChatServer } from "./chat/server.ts";
import { addressLimits, lobbySettings } from "./chat-settings.ts";
import { parseCommandLine, VERSION } from "./cli.ts";
import type { ClientConfig } from "./client-settings.ts";
import type { Config } from "./config.ts";
import { randomBytes } from "./crypto.ts";
import type { SqlHistory } from "./history/history.ts";
import { createHttpServer, ENDPOINT, type HttpServer } from "./http/server.ts";
import { createMemoryJournal } from "./journal/memory.ts";
import type { Keeping, SharedKeeping } from "./keeping.ts";
import { createLog, formatValue, type Log } from "./log.ts";
import type { JsonObject } from "./mcp/registry.ts";
import { Unavailable } from "./mcp/unavailable.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import type { Remembering } from "./remembering.ts";
import type { LineSink } from "./stdio/line-writer.ts";
import { serveStdio } from "./stdio/server.ts";
import { warmUpSoon } from "./warm-up.ts";
import { createPage } from "./web/page.ts";
import { openWordsFile, type WordsFile } from "./words-file.ts";

/** How long a stop may take before the process ends anyway, in milliseconds. */
const STOP_MS_MAX = 4800;

/** Bytes of the key that seals legacy sessions. */
const SESSION_KEY_BYTES = 32;

function main(): void {
  const asked = parseCommandLine(process.argv.slice(2), process.env);
  switch (asked.kind) {
    case "help":
    case "version":
      print(asked.text);
      return;
    case "usage_error":
      fail(`mcp-chat: ${asked.message}`, 2);
      return;
    case "unreadable":
      fail(`mcp-chat: ${asked.message}`, 1);
      return;
    case "serve":
      void serve(asked.config, openLog(asked.config, asked.exposedFile));
      return;
    case "stdio":
      serveStandardStreams(asked.config, openLog(asked.config, asked.exposedFile));
      return;
    case "bridge":
      bridgeStandardStreams(asked.config);
      return;
    case "chat":
    case "tail":
      void runClient(asked.kind, asked.config);
      return;
    case "compact":
      void compactJournal(asked.operands);
      return;
    case "admin":
      operate(asked.command);
  }
}

/** For a server beside this process: it is not to be disturbed. */
async function compactJournal(operands: readonly string[]): Promise<void> {
  const { compactHere } = await import("./keeping.ts");
  try {
    await compactHere(operands);
  } catch (problem) {
    fail(reasonOf(problem), 1);
  }
}

/** A client in this process, until it ends. It is loaded here, so that no server pays for it. */
async function runClient(face: "chat" | "tail", config: ClientConfig): Promise<void> {
  const run = async (): Promise<number> => {
    if (face === "chat") return (await import("./terminal/chat.ts")).runChat(config, VERSION, process.env);
    return (await import("./terminal/tail.ts")).runTail(config, VERSION);
  };
  const code = await run().catch((problem: unknown) => {
    fail(`mcp-chat: ${reasonOf(problem)}`, 1);
    return 1;
  });
  process.exit(code);
}

/** The log of a lobby in this process; it begins with what is amiss with the settings. */
function openLog({ logLevel }: Config, exposedFile: string | undefined): Log {
  const log = createLog({ level: logLevel });
  if (exposedFile !== undefined) {
    log.warn("everybody on this machine can read a secret in the settings file", { file: exposedFile });
  }
  return log;
}

/** The chat in this process, as configured. */
function createChat(
  config: Config,
  words: WordsFile | undefined,
  log: Log,
  keeping?: Keeping | SharedKeeping,
  history?: SqlHistory,
): ChatServer {
  return createChatServer({
    version: VERSION,
    lobby: lobbySettings(config),
    messageCharsMax: config.messageCharsMax,
    ...(words === undefined ? {} : { words: words.list }),
    greeter: config.greeter,
    eventsErrorCodes: config.eventsErrorCodes,
    journal: keeping?.journal ?? createMemoryJournal(),
    ...(keeping === undefined ? {} : { kept: keeping.replica }),
    clock: keeping?.clock ?? systemClock,
    ...(history === undefined ? {} : { history }),
    log,
    onOutdated: () => fail("mcp-chat: the other servers are of a newer version: this one cannot go on", 1),
  });
}

/** The word list, if there is to be one. Without the list it was told to use, the program does not start. */
function openWords({ wordsFile, wordsAction }: Config): WordsFile | undefined {
  if (wordsFile === undefined) return undefined;
  try {
    return openWordsFile(wordsFile, wordsAction);
  } catch (problem) {
    return fail(`mcp-chat: cannot use the word list ${formatValue(wordsFile)}: ${reasonOf(problem)}`, 1);
  }
}

/**
 * What is kept over a restart. What cannot be kept must not be told to anybody: that ends the process. It is
 * loaded here, so that no server pays for it that keeps nothing.
 */
async function openData(data: string, { durability }: Config, log: Log): Promise<Keeping> {
  const end = (problem: unknown): never => fail(`mcp-chat: ${reasonOf(problem)}`, 1);
  const { openKeeping } = await import("./keeping.ts");
  try {
    return openKeeping(data, durability, log, end);
  } catch (problem) {
    return end(problem);
  }
}

/** The same for what several servers share: a Redis that is away for a moment is waited for. */
async function openRedis(url: string, log: Log): Promise<SharedKeeping> {
  const end = (problem: unknown): never => fail(`mcp-chat: ${reasonOf(problem)}`, 1);
  const { openSharedKeeping } = await import("./keeping.ts");
  return openSharedKeeping(url, log, end).catch(end);
}

/** What outlives the rooms, if anything does. */
async function openHistory(config: Config, log: Log): Promise<Remembering | undefined> {
  if (config.history?.kind === "off" || (config.history ?? config.data) === undefined) return undefined;
  const { remember } = await import("./remembering.ts");
  return remember(config, log).catch((problem: unknown) => fail(`mcp-chat: ${reasonOf(problem)}`, 1));
}

/** Takes this server's place among the others, if it has any. Nothing is served before. */
async function joinOthers(chat: ChatServer): Promise<void> {
  const isMember = await chat.node?.membership.join().catch((problem: unknown) => {
    const reason = problem instanceof Unavailable ? "Redis does not answer" : reasonOf(problem);
    return fail(`mcp-chat: cannot join the other servers: ${reason}`, 1);
  });
  if (isMember === false) fail("mcp-chat: the other servers do not take this one: too many, or of a newer version", 1);
}

/** The operator's side of the server, if there is an operator. */
function openAdmin(config: Config, chat: ChatServer, history: SqlHistory | undefined, log: Log): Admin | undefined {
  if (config.adminToken === undefined) return undefined;
  try {
    return createAdmin({
      host: chat.host,
      token: config.adminToken,
      auditFile: config.auditFile,
      messageCharsMax: config.messageCharsMax,
      summary: () => ({ version: VERSION, ...summaryOf(chat) }),
      history,
      log,
    });
  } catch (problem) {
    return fail(`mcp-chat: cannot open the audit file: ${reasonOf(problem)}`, 1);
  }
}

/** What an operator may want to know of a server that is one of several. */
function summaryOf({ node }: ChatServer): JsonObject {
  return node === undefined ? {} : { cluster: node.summary };
}

/** The figures of the server, if anybody is to see them. */
function openMetrics(
  config: Config,
  chat: ChatServer,
  kept: Keeping | undefined,
  shared: SharedKeeping | undefined,
  history: SqlHistory | undefined,
): Metrics | undefined {
  if (!config.metrics) return undefined;
  const { node } = chat;
  return createMetrics({
    version: VERSION,
    host: chat.host,
    streamsMax: config.streamsMax,
    handedOut: () => chat.handedOut,
    journal: kept && (() => kept.journal.figures),
    ...(node === undefined ? {} : { node: () => node.figures }),
    ...(shared === undefined ? {} : { sharedJournal: () => shared.journal.figures }),
    history: history && (() => history.figures),
  });
}

/** Has one thing done by the operator of a running server. */
function operate(command: AdminCommand): void {
  const output = {
    out: (line: string) => process.stdout.write(`${line}\n`),
    err: (line: string) => process.stderr.write(`${line}\n`),
    pour: standardOutput().write,
  };
  runAdmin(command, output).then(
    (exitCode) => {
      process.exitCode = exitCode;
    },
    (problem: unknown) => fail(`mcp-chat: ${reasonOf(problem)}`, 1),
  );
}

/** MCP over the standard streams, until the input ends. Nothing else is written to stdout. */
function serveStandardStreams(config: Config, log: Log): void {
  const words = openWords(config);
  const chat = createChat(config, words, log);
  onReloadSignal(words === undefined ? [] : [() => words.reload(log)]);
  const release = (): void => void chat.release();
  const server = serveStdio({
    definition: chat.definition,
    input: Bun.stdin.stream(),
    output: standardOutput(),
    log,
    release,
  });
  onStopSignal(log, () => server.stop());
  server.done.then(
    () => process.exit(0),
    (problem: unknown) => fail(`mcp-chat: ${reasonOf(problem)}`, 1),
  );
}

/** MCP over the standard streams, passed on to a server elsewhere. */
function bridgeStandardStreams(config: ClientConfig): void {
  const log = createLog({ level: "info" });
  const bridge = startBridge({
    url: new URL(config.endpoint),
    accessToken: config.accessToken,
    sessionToken: config.sessionToken,
    channel: config.channel,
    input: Bun.stdin.stream(),
    output: standardOutput(),
    log,
  });
  onStopSignal(log, () => bridge.stop());
  bridge.done.then(
    () => process.exit(0),
    (problem: unknown) => fail(`mcp-chat: ${reasonOf(problem)}`, 1),
  );
}

/** Standard output as a sink of lines: a write is done when the pipe has taken it. */
function standardOutput(): LineSink {
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        process.stdout.write(text, (problem) => (problem ? reject(problem) : resolve()));
      }),
  };
}

async function serve(config: Config, log: Log): Promise<void> {
  const words = openWords(config);
  const kept = config.data === undefined ? undefined : await openData(config.data, config, log);
  const shared = config.redis === undefined ? undefined : await openRedis(config.redis, log);
  const keeping = shared ?? kept;
  const remembering = await openHistory(config, log);
  const { history } = remembering ?? {};
  const chat = createChat(config, words, log, keeping, history);
  remembering?.record(chat);
  await joinOthers(chat);
  remembering?.catchUp(chat);
  const admin = openAdmin(config, chat, history, log);
  const page = createPage();
  const metrics = openMetrics(config, chat, kept, shared, history);
  let http: HttpServer;
  try {
    http = createHttpServer({
      definition: metrics?.metered(chat.definition) ?? chat.definition,
      metrics: metrics?.page,
      host: config.host,
      port: config.port,
      accessToken: config.accessToken,
      allowedHosts: config.allowedHosts,
      allowedOrigins: config.allowedOrigins,
      trustedProxies: config.trustedProxies,
      perAddress: addressLimits(config),
      isLiveUserToken: chat.isLiveToken,
      sessionKey: keeping?.sessionKey ?? randomBytes(SESSION_KEY_BYTES),
      safety: kept?.journal,
      release: () => chat.release(),
      fallback: (request, address) => admin?.surface(request, address) ?? page(request),
      streamsMax: config.streamsMax,
      log,
      isHealthy: () => chat.node?.isHealthy ?? true,
      isCutOff: () => chat.node?.isCutOff ?? false,
      health: () => ({ version: VERSION, online: chat.host.lobby.online, waiting: chat.host.lobby.queue.tickets.size }),
    });
  } catch (problem) {
    fail(`mcp-chat: cannot listen on ${config.host}:${config.port}: ${reasonOf(problem)}`, 1);
    return;
  }
  chat.node?.onCut(() => http.cut());
  // Whoever waits for the banner may signal the moment it comes.
  onReloadSignal([
    ...(words === undefined ? [] : [() => words.reload(log)]),
    ...(config.auditFile === undefined || admin === undefined ? [] : [() => admin.reopen()]),
  ]);
  onStopSignal(log, async () => {
    await http.stop();
    admin?.stop();
    metrics?.stop();
    await chat.node?.membership.leave();
    chat.stop();
    await history?.close();
    await keeping?.close();
  });
  print(banner(VERSION, http.url, ENDPOINT, config.accessToken !== undefined));
  warmUpSoon(() => createChat(config, words, log), log);
}

/** Stops once at SIGINT or SIGTERM, politely first; a second signal or a stop that hangs ends the process. */
function onStopSignal(log: Log, stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info("stopping");
    setTimeout(() => process.exit(0), STOP_MS_MAX).unref();
    stop().then(
      () => process.exit(0),
      (problem: unknown) => fail(`mcp-chat: could not stop cleanly: ${reasonOf(problem)}`, 1),
    );
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

/** At SIGHUP reads files anew. Where there are none, the signal ends the process, as it does by itself. */
function onReloadSignal(reloads: readonly (() => void)[]): void {
  if (reloads.length === 0) return;
  process.on("SIGHUP", () => {
    for (const reload of reloads) reload();
  });
}

/** Says something once. `process.stdout` brings Node's streams along, whose loading takes as long as the rest of the start. */
function print(text: string): void {
  Bun.write(Bun.stdout, `${text}\n`).catch(() => {
    process.exitCode = 1;
  });
}

function fail(line: string, exitCode: number): never {
  process.stderr.write(`${line}\n`);
  process.exitCode = exitCode;
  // Whatever was started must not keep a failed process alive.
  return process.exit();
}

function reasonOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : "unknown reason";
}

main();

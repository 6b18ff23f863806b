#!/usr/bin/env bun
/**
 * The composition root: builds the parts, wires them, prints what a newcomer needs and handles
 * signals. The only file that knows everything.
 *
 * This file owns the process: its exit codes, stdout and signals. It must never hold a rule of the
 * chat or of the protocol.
 */
import { randomBytes } from "node:crypto";
import { systemClock } from "./chat/alarm-clock.ts";
import { type ChatServer, createChatServer } from "./chat/server.ts";
import { parseCommandLine, VERSION } from "./cli.ts";
import type { Config } from "./config.ts";
import { createHttpServer, ENDPOINT, type HttpServer } from "./http/server.ts";
import { createMemoryJournal } from "./journal/memory.ts";
import { createLog, type Log } from "./log.ts";
import type { LineSink } from "./stdio/line-writer.ts";
import { serveStdio } from "./stdio/server.ts";

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
    case "serve":
      serve(asked.config);
      return;
    case "stdio":
      serveStandardStreams(asked.config);
  }
}

/** The chat in this process, as configured. */
function createChat(config: Config): ChatServer {
  return createChatServer({
    version: VERSION,
    lobby: {
      graceMs: config.graceMs,
      idleMs: config.idleMs,
      availableMs: config.availableMs,
      widenMs: config.widenMs,
      matching: config.matching,
      messageRate: config.rateMessagesPerSecond,
      messageBurst: config.rateMessagesBurst,
      loopMessagesMax: config.loopMessagesMax,
      retainUserMs: config.retainUserMs,
      usersMax: config.usersMax,
      queueMax: config.queueMax,
      mailboxBytesMax: config.mailboxBytesMax,
    },
    messageCharsMax: config.messageCharsMax,
    eventsErrorCodes: config.eventsErrorCodes,
    journal: createMemoryJournal(),
    clock: systemClock,
  });
}

/** MCP over the standard streams, until the input ends. Nothing else is written to stdout. */
function serveStandardStreams(config: Config): void {
  const log = createLog({ level: config.logLevel });
  const chat = createChat(config);
  const release = (): void => chat.release();
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

/** Standard output as a sink of lines: a write is done when the pipe has taken it. */
function standardOutput(): LineSink {
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        process.stdout.write(text, (problem) => (problem ? reject(problem) : resolve()));
      }),
  };
}

function serve(config: Config): void {
  const log = createLog({ level: config.logLevel });
  const chat = createChat(config);
  let http: HttpServer;
  try {
    http = createHttpServer({
      definition: chat.definition,
      host: config.host,
      port: config.port,
      accessToken: config.accessToken,
      allowedHosts: config.allowedHosts,
      allowedOrigins: config.allowedOrigins,
      isLiveUserToken: chat.isLiveToken,
      sessionKey: randomBytes(SESSION_KEY_BYTES),
      release: () => chat.release(),
      streamsMax: config.streamsMax,
      log,
      health: () => ({ version: VERSION, online: chat.host.lobby.online, waiting: chat.host.lobby.queue.tickets.size }),
    });
  } catch (problem) {
    fail(`mcp-chat: cannot listen on ${config.host}:${config.port}: ${reasonOf(problem)}`, 1);
    return;
  }
  // Whoever waits for the greeting may signal the moment it comes.
  onStopSignal(log, async () => {
    await http.stop();
    chat.stop();
  });
  print(greeting(http.url, config));
}

/** What a newcomer needs next: where it listens, and lines to paste. */
function greeting(url: string, config: Config): string {
  const endpoint = `${url}${ENDPOINT}`;
  const header = config.accessToken === undefined ? "" : ` --header "Authorization: Bearer $MCP_CHAT_ACCESS_TOKEN"`;
  return [
    `mcp-chat ${VERSION} listening on ${endpoint}`,
    "",
    `Claude Code:    claude mcp add --transport http mcp-chat ${endpoint}${header}`,
    `JSON clients:   {"mcpServers":{"mcp-chat":{"type":"http","url":"${endpoint}"}}}`,
  ].join("\n");
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

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(line: string, exitCode: number): void {
  process.stderr.write(`${line}\n`);
  process.exitCode = exitCode;
  // Whatever was started must not keep a failed process alive.
  process.exit();
}

function reasonOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : "unknown reason";
}

main();

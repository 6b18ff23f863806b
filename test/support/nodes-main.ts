/**
 * Several servers that are one, in one process, behind a balancer that sends every request to another one: takes the
 * arguments of the program, says what the program says, and ends as it does. Tests that know nothing of it run on it
 * when `TEST_NODES` says how many there are to be.
 *
 * This file owns that arrangement. The journal they share is in memory, with delays at random from `TEST_SEED`.
 */
import { createAdmin } from "../../src/admin/admin.ts";
import { systemClock } from "../../src/chat/alarm-clock.ts";
import { LobbyReplica } from "../../src/chat/lobby-replica.ts";
import { createChatServer } from "../../src/chat/server.ts";
import { addressLimits, lobbySettings } from "../../src/chat-settings.ts";
import { type Config, parseConfig } from "../../src/config.ts";
import { randomBytes } from "../../src/crypto.ts";
import { checkLobby } from "../../src/domain/invariants.ts";
import { createHttpServer, type HttpServer } from "../../src/http/server.ts";
import { createLog } from "../../src/log.ts";
import { openWordsFile } from "../../src/words-file.ts";
import { RoundRobin } from "./round-robin.ts";
import { SharedMemory } from "./shared-journal.ts";

const parsed = parseConfig(process.argv.slice(2), process.env);
if (!parsed.ok) throw new Error(parsed.message);
const { config } = parsed;
const log = createLog({ level: config.logLevel });
const shared = new SharedMemory(Number(process.env.TEST_SEED ?? 1));
const sessionKey = randomBytes(32);

interface Node {
  readonly http: HttpServer;
  stop(): Promise<void>;
}

async function startNode(config: Config, allowedHosts: readonly string[]): Promise<Node> {
  const kept = new LobbyReplica();
  const journal = shared.open(kept);
  const { wordsFile, wordsAction } = config;
  const chat = createChatServer({
    version: "0.0.0",
    lobby: lobbySettings(config),
    messageCharsMax: config.messageCharsMax,
    ...(wordsFile === undefined ? {} : { words: openWordsFile(wordsFile, wordsAction).list }),
    greeter: config.greeter,
    eventsErrorCodes: config.eventsErrorCodes,
    journal,
    kept,
    clock: { now: () => journal.now(), after: systemClock.after },
    log,
  });
  if (process.env.TEST_CHECKED === "1") chat.host.listenToAll(() => checkLobby(chat.host.lobby));
  await chat.node?.membership.join();
  const admin =
    config.adminToken === undefined
      ? undefined
      : createAdmin({
          ...{ host: chat.host, token: config.adminToken, auditFile: config.auditFile },
          ...{ messageCharsMax: config.messageCharsMax, summary: () => ({}), log },
        });
  const http = createHttpServer({
    ...{ definition: chat.definition, sessionKey, log, host: "127.0.0.1", port: 0 },
    ...{ accessToken: config.accessToken, allowedHosts, allowedOrigins: config.allowedOrigins },
    trustedProxies: config.trustedProxies,
    perAddress: addressLimits(config),
    isLiveUserToken: chat.isLiveToken,
    release: () => chat.release(),
    fallback: (request, address) => admin?.surface(request, address),
    streamsMax: config.streamsMax,
  });
  chat.node?.onCut(() => http.cut());
  return {
    http,
    async stop() {
      await http.stop();
      admin?.stop();
      await chat.node?.membership.leave();
      chat.stop();
      await journal.close();
    },
  };
}

const nodes = await Promise.all(
  Array.from({ length: Number(process.env.TEST_NODES ?? 3) }, () => startNode(config, config.allowedHosts)),
);
const balancer = await RoundRobin.start(nodes.map(({ http }) => http.port));
process.on("SIGTERM", () => {
  Promise.all(nodes.map((node) => node.stop())).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.stdout.write(`mcp-chat 0.0.0 listening on ${balancer.url}\n`);

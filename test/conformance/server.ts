/**
 * The server the official conformance suite is run against: `server.ts --port N` serves /mcp on
 * 127.0.0.1, prints one line once it listens, and ends at SIGTERM. Built on the engine's public
 * registry, as an application would be.
 *
 * This file owns the composition of the fixtures. It must never hold one itself.
 */

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { createHttpServer } from "../../src/http/server.ts";
import type { ServerDefinition, SessionLedger } from "../../src/mcp/registry.ts";
import { interactivePrompts, interactiveTools } from "./fixtures-interactive.ts";
import { conformanceLists, primitivePrompts, primitiveResources, primitiveTools } from "./fixtures-primitives.ts";
import { taskTools } from "./fixtures-tasks.ts";

/** Sessions end by DELETE only; the process is short-lived. */
function memoryLedger(): SessionLedger {
  const ended = new Set<string>();
  return {
    isEnded: (session) => ended.has(session),
    end: (session) => {
      ended.add(session);
    },
  };
}

const definition: ServerDefinition = {
  info: {
    name: "mcp-chat-conformance",
    title: "Conformance fixtures",
    version: "1.0.0",
    description: "What the conformance suite asks for",
    websiteUrl: "https://example.test/",
    icons: [{ src: "https://example.test/icon.png", mimeType: "image/png", sizes: ["48x48"] }],
  },
  instructions: "For the conformance suite.",
  // The suite calls the first tool without arguments and expects it to succeed.
  tools: [...primitiveTools, ...interactiveTools, ...taskTools],
  resources: primitiveResources,
  prompts: [...primitivePrompts, ...interactivePrompts],
  listChanges: conformanceLists,
  logging: true,
  sessions: memoryLedger(),
};

const { values } = parseArgs({ options: { port: { type: "string", default: "0" } } });
const server = createHttpServer({
  definition,
  host: "127.0.0.1",
  port: Number(values.port),
  allowedHosts: [],
  allowedOrigins: [],
  accessToken: undefined,
  isLiveUserToken: () => false,
  sessionKey: randomBytes(32),
  streamsMax: 1000,
  log: { error: (message, fields) => process.stderr.write(`${message} ${JSON.stringify(fields ?? {})}\n`) },
});
process.stdout.write(`mcp-chat fixtures listening on ${server.url}/mcp\n`);
process.on("SIGTERM", () => {
  server.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});

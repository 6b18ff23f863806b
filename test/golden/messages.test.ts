/**
 * Every message the product can emit fits the official schemas of its era: all that is said in the
 * golden stories, and in broad runs of every revision over both transports. A kind of message that
 * was never seen fails as well, so that nothing goes unmeasured.
 */

import { beforeAll, describe, expect, test } from "bun:test";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import { EVENT_TYPES } from "../../src/chat/event-types.ts";
import { REFUSAL_CODES } from "../../src/domain/refusal.ts";
import { legacyMethods } from "../../src/mcp/legacy.ts";
import { modernMethods } from "../../src/mcp/modern.ts";
import { Primitives } from "../../src/mcp/primitives.ts";
import { REVISIONS, type Revision } from "../../src/mcp/registry.ts";
import { HttpActor } from "../support/golden-actors.ts";
import { isJson, type Json } from "../support/golden-minutes.ts";
import { Pipe, PipeActor } from "../support/golden-pipes.ts";
import { emptyHistory, type Sent, Stage } from "../support/golden-stage.ts";
import { expectOfficial } from "../support/mcp-schemas.ts";
import { useMethods, useTools } from "./broad.ts";
import {
  type Casting,
  REFUSING_IDENTITY,
  REFUSING_MESSAGES,
  refuseIdentity,
  refuseMeetings,
  refuseMessages,
} from "./refusing.ts";
import { STORIES } from "./stories.ts";
import { play, type Story } from "./story.ts";

const MODERN: Revision = "2026-07-28";
/** With everything that a server may have. */
const { definition } = new Stage({ history: await emptyHistory() }).chat;
const primitives = new Primitives(definition, () => 0);
const METHODS = { legacy: [...legacyMethods(primitives).keys()], modern: [...modernMethods(primitives).keys()] };

/** Refusals that take more to provoke than a story has room for: a thousand blocked partners. */
const UNREACHABLE = ["unavailable"];

const seen: Sent[] = [];

beforeAll(async () => {
  for (const story of STORIES) seen.push(...(await play(story)).sent);
  for (const revision of REVISIONS) {
    for (const transport of ["http", "stdio"] as const) {
      await run(revision, transport, {}, (_, cast) => useMethods(cast, METHODS[eraOf(revision)]));
      await run(revision, transport, async () => ({ history: await emptyHistory() }), useTools);
      await run(revision, transport, REFUSING_IDENTITY, refuseIdentity);
      await run(revision, transport, REFUSING_MESSAGES, refuseMessages);
      await run(revision, transport, {}, refuseMeetings);
    }
  }
}, 60_000);

function eraOf(revision: Revision): Sent["era"] {
  return revision === MODERN ? "modern" : "legacy";
}

async function run(
  revision: Revision,
  transport: Sent["transport"],
  setting: NonNullable<Story["setting"]>,
  script: (stage: Stage, cast: Casting) => Promise<void>,
): Promise<void> {
  const story = { file: `${revision} over ${transport}`, proves: "", setting };
  const tell = (stage: Stage): Promise<void> => script(stage, casting(stage, revision, transport));
  seen.push(...(await play({ ...story, tell })).sent);
}

/** On a pipe there is at most one session; several clients without one share theirs here. */
function casting(stage: Stage, revision: Revision, transport: Sent["transport"]): Casting {
  if (transport === "http") {
    return (name) =>
      revision === MODERN ? HttpActor.modern(stage, name) : HttpActor.legacy(stage, name, { revision });
  }
  const shared = new Pipe(stage);
  return async (name) => {
    if (revision === MODERN) return new PipeActor(stage, name, shared);
    const pipe = new Pipe(stage, (message) => actor.heard({ method: "", message }, "stdio"));
    const actor: PipeActor = new PipeActor(stage, name, pipe, { revision });
    await actor.request("initialize", { protocolVersion: revision, capabilities: {}, clientInfo: actor.client });
    actor.notify("notifications/initialized");
    return actor;
  };
}

/** What a message is, for the list of all there are. */
function kindOf({ era, revision, method, tool, status, message }: Sent): string {
  if (typeof message.method === "string") return `${era} ${message.method}`;
  if (isJson(message.error))
    return `${era} error ${message.error.code}${status === undefined ? "" : ` with ${status}`}`;
  const code = refusalOf(message);
  if (code !== undefined) return `${revision} refusal ${code}`;
  return `${revision} result of ${tool ?? method}`;
}

function refusalOf({ result }: Json): string | undefined {
  if (!isJson(result) || result.isError !== true) return undefined;
  const [first] = Array.isArray(result.content) ? result.content : [];
  const { error }: { error: { code: string } } = JSON.parse(isJson(first) ? String(first.text) : "{}");
  return error.code;
}

const NOTIFICATIONS = {
  legacy: [
    ...["chatroom.found", "message.received", "partner.disconnected", "partner.away", "partner.back"],
    ...["server.announcement", "partner.typing"],
    ...["notifications/progress", "notifications/message", "notifications/resources/updated"],
  ],
  modern: [
    ...["notifications/progress", "notifications/message", "notifications/resources/updated"],
    "notifications/subscriptions/acknowledged",
    ...["active", "event", "heartbeat"].map((kind) => `notifications/events/${kind}`),
  ],
};

/** JSON-RPC code and HTTP status; on a pipe, in a batch and on a stream there is no status. */
const ERRORS = {
  legacy: [
    ...["-32700 with 400", "-32700", "-32600 with 400", "-32600", "-32601 with 200", "-32601", "-32602 with 200"],
    ...["-32602", "-32001 with 404", "-32002 with 200", "-32002"],
    ...["400", "403", "405", "406", "413", "415", "503"].map((status) => `-32000 with ${status}`),
    // MCP Events in the numbers that sessions are always given.
    ...["-32011 with 200", "-32011", "-32014 with 200", "-32014"],
  ],
  modern: [
    ...["-32600 with 400", "-32601 with 404", "-32601", "-32602 with 400", "-32602 with 200", "-32602"],
    ...["-32020 with 400", "-32022 with 400"],
    ...["401", "405", "406", "429", "503"].map((status) => `-32000 with ${status}`),
    ...["-32011", "-32012", "-32013", "-32014", "-32023", "-32024", "-32026"].map((code) => `${code} with 200`),
    ...["-32011", "-32012", "-32014"],
  ],
};

/** Methods that only ever refuse or answer with a stream of their own. */
const WITHOUT_RESULT = ["tools/call", "events/subscribe"];

function expectedKinds(): string[] {
  const kinds: string[] = [];
  for (const era of ["legacy", "modern"] as const) {
    kinds.push(...NOTIFICATIONS[era].map((method) => `${era} ${method}`));
    kinds.push(...ERRORS[era].map((error) => `${era} error ${error}`));
  }
  for (const revision of REVISIONS) {
    const era = eraOf(revision);
    const methods = [...METHODS[era], ...(era === "legacy" ? ["initialize"] : [])];
    kinds.push(
      ...methods.filter((name) => !WITHOUT_RESULT.includes(name)).map((name) => `${revision} result of ${name}`),
    );
    kinds.push(...definition.tools.map(({ name }) => `${revision} result of ${name}`));
    const codes = REFUSAL_CODES.filter((code) => !UNREACHABLE.includes(code));
    kinds.push(...codes.map((code) => `${revision} refusal ${code}`));
  }
  return kinds.sort();
}

describe("every message", () => {
  test("was seen: results of every method and tool, refusals, errors, notifications, and no other", () => {
    expect([...new Set(seen.map(kindOf))].sort()).toEqual(expectedKinds());
  });

  test("fits the official schema of its era", () => {
    for (const { era, method, message } of seen) expectOfficial(era, method, message);
    expect(seen.length).toBeGreaterThan(1000);
  });

  test("would be noticed if it did not fit", () => {
    const spoilt = (kind: string, spoil: (message: Json) => Json): (() => void) => {
      const sent = seen.find((one) => kindOf(one) === kind);
      if (sent === undefined) throw new Error(`${kind} was not seen`);
      return () => expectOfficial(sent.era, sent.method, spoil(sent.message));
    };
    const without =
      (member: string, key: string) =>
      (message: Json): Json => {
        const { [key]: _, ...rest } = isJson(message[member]) ? message[member] : {};
        return { ...message, [member]: rest };
      };
    expect(spoilt(`${MODERN} result of chat_status`, without("result", "resultType"))).toThrow();
    expect(spoilt(`${MODERN} result of tools/list`, without("result", "ttlMs"))).toThrow();
    expect(spoilt(`${MODERN} result of events/poll`, without("result", "truncated"))).toThrow();
    expect(
      spoilt("2025-11-25 result of chat_status", (message) => ({ ...message, result: { content: "hello" } })),
    ).toThrow();
    expect(spoilt("2025-11-25 result of initialize", without("result", "serverInfo"))).toThrow();
    expect(spoilt("legacy chatroom.found", (message) => ({ ...message, jsonrpc: "1.0" }))).toThrow();
    expect(spoilt("legacy notifications/progress", without("params", "progressToken"))).toThrow();
    expect(spoilt("modern notifications/events/event", without("params", "_meta"))).toThrow();
    expect(spoilt("modern error -32022 with 400", without("error", "code"))).toThrow();
  });

  test("of a tool fits the schema that is listed for it, refusals too, where the revision knows any", () => {
    const ajv = new AjvJsonSchemaValidator();
    const validators = new Map(
      definition.tools.map(({ name, outputSchema = {} }) => [name, ajv.getValidator(outputSchema)]),
    );
    let checked = 0;
    for (const { revision, tool = "", message } of seen) {
      if (!isJson(message.result) || !validators.has(tool)) continue;
      const { structuredContent } = message.result;
      expect(structuredContent === undefined).toBe(revision < "2025-06-18");
      if (structuredContent === undefined) continue;
      expect([tool, validators.get(tool)?.(structuredContent).errorMessage]).toEqual([tool, undefined]);
      checked++;
    }
    expect(checked).toBeGreaterThan(200);
  });

  test("that tells of an event fits the schema that is listed for its type, by every way of delivery", () => {
    const ajv = new AjvJsonSchemaValidator();
    const validators = new Map(EVENT_TYPES.map(({ name, payloadSchema }) => [name, ajv.getValidator(payloadSchema)]));
    const told = seen.flatMap(({ message }) => eventsIn(message));
    for (const { name, data } of told)
      expect([name, validators.get(name)?.(data).errorMessage]).toEqual([name, undefined]);
    const names = EVENT_TYPES.map(({ name }) => name);
    expect([...new Set(told.map(({ name }) => name))].sort()).toEqual(names.sort());
  });

  test("holds no more than one session token, and only where one is minted", () => {
    for (const { tool, message } of seen) {
      const tokens = JSON.stringify(message).match(/mcpc_/g) ?? [];
      // Once in the structure, once in the text.
      expect(tokens.length).toBeLessThanOrEqual(tool === "enter_queue" || tool === "join_room" ? 2 : 0);
    }
  });
});

interface Told {
  readonly name: string;
  readonly data: Json;
}

/** All events that a message tells of: a notification, an occurrence, a poll's answer, a wait's. */
function eventsIn({ method, params, result }: Json): Told[] {
  if (method === "notifications/events/event" && isJson(params)) return toldBy(params);
  if (typeof method === "string" && EVENT_TYPES.some(({ name }) => name === method) && isJson(params)) {
    const { event_id: _, cursor: __, ...data } = params;
    return [{ name: method, data }];
  }
  const structure = isJson(result) && isJson(result.structuredContent) ? result.structuredContent : result;
  const events = isJson(structure) ? structure.events : undefined;
  return Array.isArray(events) ? events.flatMap((event) => (isJson(event) ? toldBy(event) : [])) : [];
}

function toldBy({ name, data }: Json): Told[] {
  return typeof name === "string" && isJson(data) ? [{ name, data }] : [];
}

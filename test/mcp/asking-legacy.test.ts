/** Questions to a legacy client travel on the stream of the request that caused them, and only its session answers. */

import { describe, expect, test } from "bun:test";
import { INPUT_MS_MAX } from "../../src/limits.ts";
import { decode } from "../../src/mcp/jsonrpc.ts";
import { StdioEndpoint } from "../../src/mcp/stdio-endpoint.ts";
import { CALLER, connect, createEndpoint, type HandConnection, heldOf, jsonOf } from "../support/mcp-endpoint.ts";
import {
  ALL_CAPABILITIES,
  call,
  createTalkFixture,
  modernCall,
  NAMED,
  ROOTED,
  SAMPLED,
} from "../support/talk-fixture.ts";

interface Asked {
  id: string;
  method: string;
  params: Record<string, unknown>;
}

function setUp(revision = "2025-11-25", capabilities: object = ALL_CAPABILITIES) {
  const fixture = createTalkFixture();
  const world = createEndpoint(fixture);
  const session = world.open(revision, CALLER, capabilities);
  return {
    ...world,
    ...fixture,
    session,
    /** Calls a tool that opens a stream. */
    async stream(name: string, id: string | number = 1): Promise<HandConnection> {
      return connect(await heldOf(world.post(call(id, name), session)).reply);
    },
    answer(id: unknown, result: object, headers = session) {
      return world.post({ jsonrpc: "2.0", id, result }, headers);
    },
  };
}

function asked(connection: HandConnection): Asked[] {
  return connection.messages().filter((message): message is Asked => Object.hasOwn(message as object, "method"));
}

function said(connection: HandConnection): unknown {
  return JSON.parse(JSON.stringify(connection.messages().at(-1))).result.content[0].text;
}

/** Lets everything that is ready go on. */
const settle = () => Bun.sleep(0);

describe("a question", () => {
  test("goes out on the call's stream, and the posted answer gives the result", async () => {
    for (const revision of ["2025-06-18", "2025-11-25"]) {
      const world = setUp(revision);
      const connection = await world.stream("who");
      const [question] = asked(connection);
      expect(question).toMatchObject({ method: "elicitation/create", params: { message: "Who?" } });
      expect(world.answer(question?.id, NAMED)).toEqual({ kind: "accepted" });
      await settle();
      expect(said(connection)).toBe(JSON.stringify({ who: NAMED }));
      expect(connection.ended).toBe(true);
      expect(world.runs).toEqual(["who"]);
    }
  });

  test("several are open at once and are answered in any order", async () => {
    const world = setUp();
    const connection = await world.stream("three");
    const [who, sample, roots] = asked(connection);
    expect([who?.method, sample?.method, roots?.method]).toEqual([
      "elicitation/create",
      "sampling/createMessage",
      "roots/list",
    ]);
    world.answer(roots?.id, ROOTED);
    world.answer(who?.id, NAMED);
    world.answer(sample?.id, SAMPLED);
    await settle();
    expect(said(connection)).toBe(JSON.stringify([{ who: NAMED }, { sample: SAMPLED }, { roots: ROOTED }]));
  });

  test("is answered by its own session only, once; anything else is ignored", async () => {
    const world = setUp();
    const other = world.open("2025-11-25", CALLER, ALL_CAPABILITIES);
    const connection = await world.stream("who");
    const id = asked(connection)[0]?.id ?? "";
    for (const [guess, headers] of [
      [id, other],
      [`${id}0`, world.session],
      [1, world.session],
      ["", world.session],
    ] as const) {
      expect(world.answer(guess, NAMED, headers)).toEqual({ kind: "accepted" });
    }
    expect(world.post({ jsonrpc: "2.0", error: { code: 1, message: "?" } }, world.session)).toEqual({
      kind: "accepted",
    });
    await settle();
    expect(world.endpoint.counts.held).toBe(1);
    world.answer(id, NAMED);
    world.answer(id, { action: "decline" });
    await settle();
    expect(said(connection)).toBe(JSON.stringify({ who: NAMED }));
  });

  test("declining and cancelling are answers", async () => {
    for (const action of ["decline", "cancel"]) {
      const world = setUp();
      const connection = await world.stream("who");
      world.answer(asked(connection)[0]?.id, { action });
      await settle();
      expect(said(connection)).toBe(JSON.stringify({ who: { action } }));
    }
  });

  test("an error, or an answer to something else, becomes a result that says so", async () => {
    const answers = [
      { error: { code: -1, message: "secret of the client" } },
      { result: {} },
      { result: { action: "accept" } },
      { result: { action: "accept", content: { name: 7 } } },
      { result: { action: "accept", content: { name: "far too long a name" } } },
    ];
    for (const answer of answers) {
      const world = setUp();
      const connection = await world.stream("who");
      world.post({ jsonrpc: "2.0", id: asked(connection)[0]?.id, ...answer }, world.session);
      await settle();
      const [result] = connection.messages();
      expect(result).toMatchObject({ id: 1, result: { isError: true } });
      expect(JSON.stringify(result)).not.toContain("secret");
    }
  });

  test("a handler may go on without an answer", async () => {
    const world = setUp();
    const connection = await world.stream("stubborn");
    world.post({ jsonrpc: "2.0", id: asked(connection)[0]?.id, error: { code: -1, message: "no" } }, world.session);
    await settle();
    expect(said(connection)).toBe("went on without");
    expect(world.caught).toMatchObject([{ name: "NoInput", reason: "failed" }]);
  });

  test("that nobody answers is given up, and the client is told", async () => {
    const world = setUp();
    const connection = await world.stream("stubborn");
    const [question] = asked(connection);
    world.clock.at += INPUT_MS_MAX - 1;
    world.endpoint.sweep();
    expect(connection.messages()).toEqual([]);
    world.clock.at += 1;
    world.endpoint.sweep();
    await settle();
    const [cancelled] = asked(connection);
    expect(cancelled).toMatchObject({ method: "notifications/cancelled", params: { requestId: question?.id } });
    expect(world.caught).toMatchObject([{ reason: "timed_out" }]);
    expect(world.logged).toEqual([]);
  });

  test("that the handler no longer waits for is taken back before the answer", async () => {
    const world = setUp();
    const connection = await world.stream("impatient");
    const [question] = asked(connection);
    world.held[0]?.release("now");
    await settle();
    expect(connection.messages()).toMatchObject([
      { method: "notifications/cancelled", params: { requestId: question?.id } },
      { id: 1, result: {} },
    ]);
  });

  test("is taken back when the client cancels the call; no answer follows", async () => {
    const world = setUp();
    const connection = await world.stream("stubborn");
    const [question] = asked(connection);
    world.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } }, world.session);
    await settle();
    expect(connection.messages()).toMatchObject([
      { method: "notifications/cancelled", params: { requestId: question?.id } },
    ]);
    expect(connection.ended).toBe(true);
    expect(world.caught).toMatchObject([{ reason: "abandoned" }]);
    world.answer(question?.id, NAMED);
    await settle();
    expect(connection.messages()).toEqual([]);
  });

  test("ends with its session", async () => {
    const world = setUp();
    await world.stream("stubborn");
    await world.endpoint.delete(new Headers(world.session), CALLER);
    await settle();
    expect(world.caught).toMatchObject([{ reason: "abandoned" }]);
    expect(world.endpoint.counts.held).toBe(0);
  });
});

test("prompts and resources ask as tools do, and are errors without an answer", async () => {
  for (const [method, params] of [
    ["prompts/get", { name: "who" }],
    ["resources/read", { uri: "test://asks" }],
  ] as const) {
    const world = setUp();
    const request = { jsonrpc: "2.0", id: 1, method, params };
    const connection = connect(await heldOf(world.post(request, world.session)).reply);
    world.answer(asked(connection)[0]?.id, NAMED);
    await settle();
    expect(JSON.stringify(connection.messages())).toContain("Ann");

    const mute = setUp("2025-11-25", {});
    const reply = await heldOf(mute.post(request, mute.session)).reply;
    expect(jsonOf(reply)).toMatchObject({ status: 200, body: { error: { code: -32602 } } });
    expect(mute.logged).toEqual([]);
  }
});

test("over a pipe the question and the answer go the same way as everything else", async () => {
  const fixture = createTalkFixture();
  const sent: Record<string, unknown>[] = [];
  const endpoint = new StdioEndpoint({
    definition: fixture.definition,
    now: () => 0,
    log: { error: (message) => sent.push({ message }) },
    send: (json) => sent.push(JSON.parse(json)),
    onInitialized: () => undefined,
  });
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: ALL_CAPABILITIES,
    clientInfo: { name: "t", version: "1" },
  };
  endpoint.receive(decode({ jsonrpc: "2.0", id: 0, method: "initialize", params }));
  const reply = heldOf(endpoint.receive(decode(call(1, "who"))));
  expect(sent).toMatchObject([{ method: "elicitation/create" }]);
  endpoint.receive(decode({ jsonrpc: "2.0", id: sent[0]?.id, result: NAMED }));
  expect(jsonOf(await reply.reply).body).toMatchObject({
    id: 1,
    result: { content: [{ text: JSON.stringify({ who: NAMED }) }] },
  });

  const modern = modernCall(2, "tools/call", { name: "who" });
  const asking = await heldOf(endpoint.receive(decode(modern.body))).reply;
  expect(jsonOf(asking).body).toMatchObject({ result: { resultType: "input_required" } });
  expect(sent).toHaveLength(1);
});

describe("a client that cannot be asked", () => {
  const cases: readonly [string, string, object, boolean][] = [
    ["declared nothing", "2025-11-25", {}, true],
    ["is older than elicitation", "2025-03-26", ALL_CAPABILITIES, true],
    ["takes no streams", "2025-11-25", ALL_CAPABILITIES, false],
    ["takes URLs only", "2025-11-25", { elicitation: { url: {} } }, true],
  ];
  test.each(cases)("because it %s gets a result that says so", async (_why, revision, capabilities, canStream) => {
    const world = setUp(revision, capabilities);
    const reply = await heldOf(world.post(call(1, "who"), world.session, { ...CALLER, canStream })).reply;
    expect(jsonOf(reply)).toMatchObject({ status: 200, body: { result: { isError: true } } });
    expect(JSON.stringify(reply)).toContain("elicitationForm");
  });

  test("is refused by a tool that requires it, before the tool runs", () => {
    const world = setUp("2025-11-25", {});
    const { body } = jsonOf(world.post(call(1, "needs_sampling"), world.session));
    expect(body).toMatchObject({ result: { isError: true } });
    expect(world.runs).toEqual([]);
  });

  test("is asked nothing in a batch", async () => {
    const world = setUp("2025-03-26", { roots: {}, sampling: {} });
    const reply = await heldOf(world.post([call(1, "three"), call(2, "needs_sampling")], world.session)).reply;
    expect(jsonOf(reply).body).toMatchObject([{ result: { isError: true } }, { result: { isError: true } }]);
  });
});

/** Questions to a modern client: the handler runs again with the answers, and the state between is sealed. */

import { describe, expect, test } from "bun:test";
import { INPUT_MS_MAX, INPUT_ROUNDS_MAX, REQUEST_STATE_CHARS_MAX } from "../../src/limits.ts";
import { CALLER, connect, createEndpoint, heldOf, jsonOf } from "../support/mcp-endpoint.ts";
import { ALL_CAPABILITIES, createTalkFixture, modernCall, NAMED, ROOTED, SAMPLED } from "../support/talk-fixture.ts";

interface Answer {
  readonly status: number;
  readonly error?: { code: number; data?: object };
  readonly result?: {
    resultType: string;
    content?: { text: string }[];
    messages?: unknown;
    inputRequests?: Record<string, object>;
    requestState?: string;
    _meta?: object;
  };
}

function setUp() {
  const fixture = createTalkFixture();
  const world = createEndpoint(fixture);
  let id = 0;
  async function ask(
    params: Record<string, unknown>,
    {
      capabilities = ALL_CAPABILITIES,
      caller = CALLER,
      method = "tools/call",
    }: { capabilities?: object; caller?: typeof CALLER; method?: string } = {},
  ): Promise<Answer> {
    const { body, headers } = modernCall(++id, method, params, capabilities);
    const reply = world.post(body, headers, caller);
    const answer = jsonOf(reply.kind === "held" ? await reply.reply : reply);
    expect(answer.body).toMatchObject({ id });
    return { status: answer.status, ...(answer.body as object) };
  }
  return { ...world, ...fixture, ask };
}

function state({ result }: Answer): string {
  if (result?.requestState === undefined) throw new Error(`no state: ${JSON.stringify(result)}`);
  return result.requestState;
}

function said({ result }: Answer): unknown {
  return JSON.parse(result?.content?.[0]?.text ?? "null");
}

const REFUSED = { status: 200, error: { code: -32602 } };

describe("a round", () => {
  test("ends with the questions and a state, and the retry runs the handler to its end", async () => {
    const world = setUp();
    const first = await world.ask({ name: "who" });
    expect(first.result).toMatchObject({
      resultType: "input_required",
      inputRequests: { who: { method: "elicitation/create", params: { message: "Who?" } } },
      _meta: { "io.modelcontextprotocol/serverInfo": { name: "fixture" } },
    });
    const second = await world.ask({ name: "who", inputResponses: { who: NAMED }, requestState: state(first) });
    expect(second.result?.resultType).toBe("complete");
    expect(said(second)).toEqual({ who: NAMED });
    expect(world.runs).toEqual(["who", "who"]);
    expect(world.endpoint.counts.held).toBe(0);
  });

  test("asks everything that is asked at once, and only the rest when some of it is answered", async () => {
    const world = setUp();
    const first = await world.ask({ name: "three" });
    expect(Object.keys(first.result?.inputRequests ?? {})).toEqual(["who", "sample", "roots"]);
    const partly = { who: NAMED, roots: ROOTED, sample: 7 };
    const second = await world.ask({ name: "three", inputResponses: partly, requestState: state(first) });
    expect(Object.keys(second.result?.inputRequests ?? {})).toEqual(["sample"]);
    const third = await world.ask({ name: "three", inputResponses: { sample: SAMPLED }, requestState: state(second) });
    expect(said(third)).toEqual([{ who: NAMED }, { sample: SAMPLED }, { roots: ROOTED }]);
  });

  test("may follow another; earlier answers come from the state, not from the client", async () => {
    const world = setUp();
    const first = await world.ask({ name: "rounds" });
    const second = await world.ask({ name: "rounds", inputResponses: { first: NAMED }, requestState: state(first) });
    expect(Object.keys(second.result?.inputRequests ?? {})).toEqual(["second"]);
    const other = { action: "accept", content: { name: "Eve" } };
    const red = { action: "accept", content: { color: "red" } };
    const third = await world.ask({
      name: "rounds",
      inputResponses: { first: other, second: red },
      requestState: state(second),
    });
    expect(said(third)).toEqual({ first: NAMED, second: red });
  });

  test("is asked again when the answers are missing, wrong or no object at all", async () => {
    const world = setUp();
    const { requestState } = (await world.ask({ name: "who" })).result ?? {};
    const useless = [undefined, null, 7, [], {}, { other: NAMED }, { who: null }, { who: 12345 }, { who: [] }];
    const misfits = [
      { action: "maybe" },
      { action: "accept" },
      { action: "accept", content: {} },
      { action: "accept", content: { name: 1 } },
    ];
    for (const inputResponses of [...useless, ...misfits.map((who) => ({ who }))]) {
      const again = await world.ask({
        name: "who",
        ...(inputResponses !== undefined && { inputResponses }),
        requestState,
      });
      expect(again.result).toMatchObject({ resultType: "input_required", inputRequests: { who: {} } });
    }
  });

  test("needs no state from a client that knows the questions", async () => {
    const world = setUp();
    const answer = await world.ask({ name: "who", inputResponses: { who: NAMED, unknown: NAMED } });
    expect(said(answer)).toEqual({ who: NAMED });
  });

  test("a declined form ends it", async () => {
    const world = setUp();
    const answer = await world.ask({ name: "who", inputResponses: { who: { action: "decline" } } });
    expect(said(answer)).toEqual({ who: { action: "decline" } });
  });

  test("the questions stand, whatever the handler does after asking", async () => {
    const world = setUp();
    const first = await world.ask({ name: "stubborn" });
    expect(first.result?.resultType).toBe("input_required");
    expect(world.caught).toMatchObject([{ reason: "abandoned" }]);
    const second = await world.ask({ name: "stubborn", inputResponses: { who: NAMED }, requestState: state(first) });
    expect(said(second)).toEqual({ who: NAMED });
  });

  test("an answer counts for the question it was given to, not for another under the same key", async () => {
    const world = setUp();
    let last = await world.ask({ name: "changing" });
    for (let round = 1; round < INPUT_ROUNDS_MAX; round++) {
      last = await world.ask({ name: "changing", inputResponses: { n: NAMED }, requestState: state(last) });
      expect(last.result?.resultType).toBe("input_required");
    }
    const over = await world.ask({ name: "changing", inputResponses: { n: NAMED }, requestState: state(last) });
    expect(over).toMatchObject(REFUSED);
  });

  test("an answer of an earlier round does not count either, once its question has changed", async () => {
    const world = setUp();
    const first = await world.ask({ name: "wavering" });
    const second = await world.ask({ name: "wavering", inputResponses: { a: NAMED }, requestState: state(first) });
    expect(Object.keys(second.result?.inputRequests ?? {})).toEqual(["b"]);
    const third = await world.ask({ name: "wavering", inputResponses: { b: NAMED }, requestState: state(second) });
    expect(third.result?.inputRequests).toMatchObject({ a: { params: { message: "Really?" } } });
    const retry = { name: "wavering", inputResponses: { a: NAMED, b: NAMED }, requestState: state(third) };
    const fourth = await world.ask(retry);
    expect(Object.keys(fourth.result?.inputRequests ?? {})).toEqual(["b"]);
  });

  test("serves the reading of resources as well; only the whole reading can be cached", async () => {
    const world = setUp();
    const method = "resources/read";
    const first = await world.ask({ uri: "test://asks" }, { method });
    expect(first.result?.inputRequests).toHaveProperty("who");
    expect(first.result).not.toHaveProperty("ttlMs");
    const retry = { uri: "test://asks", inputResponses: { who: NAMED }, requestState: state(first) };
    const second = await world.ask(retry, { method });
    expect(second.result).toMatchObject({ contents: [{ text: JSON.stringify(NAMED) }], ttlMs: expect.any(Number) });
    expect(await world.ask({ ...retry, uri: "test://other" }, { method })).toMatchObject(REFUSED);
    expect(await world.ask({ uri: "test://asks" }, { method, capabilities: {} })).toMatchObject({ status: 400 });
  });

  test("serves prompts as well, and no other method", async () => {
    const world = setUp();
    const first = await world.ask({ name: "who" }, { method: "prompts/get" });
    expect(first.result?.inputRequests).toHaveProperty("who");
    const retry = { name: "who", inputResponses: { who: NAMED }, requestState: state(first) };
    const second = await world.ask(retry, { method: "prompts/get" });
    expect(second.result?.messages).toMatchObject([{ role: "user" }]);
    expect(await world.ask({ requestState: "?" }, { method: "tools/list" })).toMatchObject({ status: 200, result: {} });
  });

  test("that has begun to stream ends the stream with the questions", async () => {
    const world = setUp();
    const { body, headers } = modernCall(1, "tools/call", { name: "impatient" });
    const reply = world.post(body, headers);
    world.held[0]?.context.openStream();
    const connection = connect(await heldOf(reply).reply);
    await Bun.sleep(0);
    expect(connection.messages()).toMatchObject([{ id: 1, result: { resultType: "input_required" } }]);
    expect(connection.ended).toBe(true);
  });
});

describe("the state", () => {
  test("is refused if it is not exactly what was sealed", async () => {
    const world = setUp();
    const sealed = state(await world.ask({ name: "who" }));
    const session = world.open()["mcp-session-id"];
    const forged = [
      `${sealed}-TAMPERED`,
      `${sealed.slice(0, -1)}${sealed.endsWith("A") ? "B" : "A"}`,
      sealed.slice(1),
      sealed.toUpperCase(),
      `${sealed}=`,
      "",
      "x",
      session,
      "A".repeat(REQUEST_STATE_CHARS_MAX + 1),
      7,
      null,
      {},
    ];
    const runs = world.runs.length;
    for (const requestState of forged) {
      expect(await world.ask({ name: "who", inputResponses: { who: NAMED }, requestState })).toMatchObject(REFUSED);
    }
    expect(world.runs).toHaveLength(runs);
  });

  test("opens for the same request only, whatever the order of its members", async () => {
    const world = setUp();
    const first = await world.ask({ name: "who", arguments: { a: 1, b: { c: [1, 2], d: null } } });
    const retry = { inputResponses: { who: NAMED }, requestState: state(first) };
    const same = await world.ask({ ...retry, arguments: { b: { d: null, c: [1, 2] }, a: 1 }, name: "who" });
    expect(said(same)).toEqual({ who: NAMED });
    for (const changed of [
      { name: "who" },
      { name: "who", arguments: { a: 2, b: { c: [1, 2], d: null } } },
      { name: "who", arguments: { a: 1, b: { c: [2, 1], d: null } } },
      { name: "stubborn", arguments: { a: 1, b: { c: [1, 2], d: null } } },
    ]) {
      expect(await world.ask({ ...retry, ...changed })).toMatchObject(REFUSED);
    }
    const elsewhere = { ...retry, name: "who", arguments: { a: 1, b: { c: [1, 2], d: null } } };
    expect(await world.ask(elsewhere, { method: "prompts/get" })).toMatchObject(REFUSED);
  });

  test("belongs to who got it", async () => {
    const world = setUp();
    const [ann, bob] = ["ann", "bob"].map((bearer) => ({ ...CALLER, bearer }));
    const first = await world.ask({ name: "who" }, { ...(ann && { caller: ann }) });
    const retry = { name: "who", inputResponses: { who: NAMED }, requestState: state(first) };
    expect(await world.ask(retry, { ...(bob && { caller: bob }) })).toMatchObject(REFUSED);
    expect(await world.ask(retry)).toMatchObject(REFUSED);
    expect(said(await world.ask(retry, { ...(ann && { caller: ann }) }))).toEqual({ who: NAMED });
  });

  test("lasts ten minutes", async () => {
    const world = setUp();
    const retry = {
      name: "who",
      inputResponses: { who: NAMED },
      requestState: state(await world.ask({ name: "who" })),
    };
    world.clock.at += INPUT_MS_MAX - 1;
    expect((await world.ask(retry)).result?.resultType).toBe("complete");
    world.clock.at += 1;
    expect(await world.ask(retry)).toMatchObject(REFUSED);
  });

  test("does not grow without end, nor does depth hurt", async () => {
    const world = setUp();
    const first = await world.ask({ name: "three" });
    const long = { ...SAMPLED, content: { type: "text", text: "x".repeat(REQUEST_STATE_CHARS_MAX) } };
    const retry = { name: "three", inputResponses: { sample: long }, requestState: state(first) };
    expect(await world.ask(retry)).toMatchObject(REFUSED);

    const deep = JSON.parse("[".repeat(50_000) + "]".repeat(50_000));
    expect(await world.ask({ name: "who", arguments: { deep } })).toMatchObject(REFUSED);
    const bottomless = { ...SAMPLED, content: { deep } };
    const again = await world.ask({
      name: "three",
      inputResponses: { sample: bottomless },
      requestState: state(first),
    });
    expect(again.result?.inputRequests).toHaveProperty("sample");
    expect(world.logged).toEqual([]);
  });
});

describe("a client that lacks what is asked for", () => {
  test("is told what to declare", async () => {
    const world = setUp();
    const missing = async (name: string, capabilities: object) => {
      const { status, error } = await world.ask({ name }, { capabilities });
      return [status, error?.code, error?.data];
    };
    expect(await missing("who", {})).toEqual([400, -32021, { requiredCapabilities: { elicitation: {} } }]);
    expect(await missing("who", { elicitation: { url: {} } })).toMatchObject([400, -32021, {}]);
    expect(await missing("needs_sampling", {})).toEqual([400, -32021, { requiredCapabilities: { sampling: {} } }]);
    expect(world.runs).not.toContain("needs_sampling");
    const all = { elicitation: {}, extensions: { "io.modelcontextprotocol/tasks": {} } };
    expect(await missing("brief", { elicitation: {} })).toEqual([
      400,
      -32021,
      { requiredCapabilities: { extensions: { "io.modelcontextprotocol/tasks": {} } } },
    ]);
    expect(await missing("brief", all)).toEqual([200, undefined, undefined]);
  });

  test("may be served by a handler that goes on without", async () => {
    const world = setUp();
    const { result } = await world.ask({ name: "stubborn" }, { capabilities: {} });
    expect(result).toMatchObject({ resultType: "complete", content: [{ text: "went on without" }] });
    expect(world.caught).toMatchObject([{ reason: "unsupported", features: ["elicitationForm"] }]);
  });
});

/** Tasks: their states, who may see them, their questions, their end, and what a client without them gets. */

import { describe, expect, test } from "bun:test";
import { TASK_TTL_MS, TASKS_MAX, TASKS_PER_PRINCIPAL_MAX } from "../../src/limits.ts";
import { CALLER, createEndpoint, heldOf, jsonOf } from "../support/mcp-endpoint.ts";
import { call, createTalkFixture, modernCall, NAMED } from "../support/talk-fixture.ts";

interface Answer {
  status: number;
  error?: { code: number; message: string; data?: object };
  result: Record<string, unknown> & { taskId: string; inputRequests: Record<string, unknown> };
}

const EXTENSION = "io.modelcontextprotocol/tasks";
const CAPABLE = { elicitation: {}, extensions: { [EXTENSION]: {} } };

function setUp() {
  const fixture = createTalkFixture();
  const world = createEndpoint(fixture);
  let id = 0;
  async function ask(
    method: string,
    params: Record<string, unknown>,
    { capabilities = CAPABLE, bearer }: { capabilities?: object; bearer?: string } = {},
  ): Promise<Answer> {
    const { body, headers } = modernCall(++id, method, params, capabilities);
    const reply = world.post(body, headers, { ...CALLER, bearer });
    const { status, body: answer } = jsonOf(reply.kind === "held" ? await reply.reply : reply);
    return { status, ...(answer as { result: Answer["result"] }) };
  }
  return {
    ...world,
    ...fixture,
    ask,
    /** Starts a task. @returns its id */
    async start(name: string, bearer?: string): Promise<string> {
      const { result } = await ask("tools/call", { name }, bearer === undefined ? {} : { bearer });
      if (result.resultType !== "task") throw new Error(`no task: ${JSON.stringify(result)}`);
      return result.taskId;
    },
    async look(taskId: string): Promise<Answer["result"]> {
      return (await ask("tasks/get", { taskId })).result;
    },
  };
}

const UNKNOWN = { status: 200, error: { code: -32602 } };
const settle = () => Bun.sleep(0);

describe("a task", () => {
  test("is created flat, readable at once, and carries the result in the end", async () => {
    const world = setUp();
    const { result: created } = await world.ask("tools/call", { name: "works" });
    expect<object>(created).toEqual({
      resultType: "task",
      _meta: expect.any(Object),
      taskId: expect.stringMatching(/^[\w-]{32}$/),
      status: "working",
      statusMessage: "at it",
      createdAt: new Date(world.clock.at).toISOString(),
      lastUpdatedAt: new Date(world.clock.at).toISOString(),
      ttlMs: TASK_TTL_MS,
      pollIntervalMs: 200,
    });
    const { taskId } = created;
    expect(await world.look(taskId)).toEqual({ ...created, resultType: "complete" });
    world.clock.at += 5;
    world.works[0]?.release("done");
    await settle();
    const finished = await world.look(taskId);
    expect(finished).toMatchObject({ status: "completed", result: { content: [{ text: "done" }] } });
    expect(finished.lastUpdatedAt).toBe(new Date(world.clock.at).toISOString());
    expect(finished).not.toHaveProperty("error");
  });

  test("work that fails with a bug ends it as failed, with nothing of the inside", async () => {
    const world = setUp();
    const taskId = await world.start("works");
    world.works[0]?.fail(new Error("the secret is hunter2"));
    await settle();
    const failed = await world.look(taskId);
    expect(failed).toMatchObject({ status: "failed", error: { code: -32603, message: "Internal error" } });
    expect(failed).not.toHaveProperty("result");
    expect(world.logged).toHaveLength(1);
    expect(JSON.stringify([failed, world.logged])).not.toContain("hunter2");
  });

  test("shows how far it is", async () => {
    const world = setUp();
    const taskId = await world.start("works");
    const context = world.works[0]?.context;
    context?.progress({ progress: 2, message: "half way" });
    context?.progress({ progress: 1, message: "backwards" });
    expect(await world.look(taskId)).toMatchObject({ status: "working", statusMessage: "half way" });
  });

  test("cancelled, its work is told, and nothing changes it afterwards", async () => {
    const world = setUp();
    const taskId = await world.start("works");
    expect(world.works[0]?.context.signal.aborted).toBe(false);
    const ack = await world.ask("tasks/cancel", { taskId });
    expect(Object.keys(ack.result).sort()).toEqual(["_meta", "resultType"]);
    expect(world.works[0]?.context.signal.aborted).toBe(true);
    world.works[0]?.release("too late");
    await settle();
    expect(await world.look(taskId)).toMatchObject({ status: "cancelled" });
    expect(await world.look(taskId)).not.toHaveProperty("result");
    expect((await world.ask("tasks/cancel", { taskId })).result.resultType).toBe("complete");
    const late = await world.ask("tasks/update", { taskId, inputResponses: { a: NAMED } });
    expect(late.result.resultType).toBe("complete");
    await expect(world.works[0]?.context.input({})).rejects.toMatchObject({ reason: "abandoned" });
  });

  test("asks under keys of its own, takes answers one by one, and works on", async () => {
    const world = setUp();
    const taskId = await world.start("asks_later");
    const waiting = await world.look(taskId);
    expect(waiting).toMatchObject({ status: "input_required" });
    const [first = "", second = ""] = Object.keys(waiting.inputRequests);
    expect(waiting.inputRequests[first]).toMatchObject({ method: "elicitation/create", params: { message: "Who?" } });

    const useless = { unknown: NAMED, [first]: null, [second]: { action: "accept", content: {} } };
    await world.ask("tasks/update", { taskId, inputResponses: useless });
    expect(Object.keys((await world.look(taskId)).inputRequests)).toEqual([first, second]);

    const ack = await world.ask("tasks/update", { taskId, inputResponses: { [first]: NAMED } });
    expect(Object.keys(ack.result).sort()).toEqual(["_meta", "resultType"]);
    expect(Object.keys((await world.look(taskId)).inputRequests)).toEqual([second]);
    await world.ask("tasks/update", { taskId, inputResponses: { [second]: { action: "decline" }, [first]: NAMED } });
    await settle();

    // The same question again is another one: its key was never used before.
    const again = Object.keys((await world.look(taskId)).inputRequests);
    expect(again).toHaveLength(1);
    expect([first, second]).not.toContain(again[0] ?? first);
    await world.ask("tasks/update", { taskId, inputResponses: { [again[0] ?? ""]: NAMED } });
    await settle();
    const answers = { who: NAMED, again: { action: "decline" }, last: NAMED };
    expect(await world.look(taskId)).toMatchObject({
      status: "completed",
      result: { content: [{ text: JSON.stringify(answers) }] },
    });
  });

  test("that cannot ask ends with a result that says so", async () => {
    const world = setUp();
    const capabilities = { extensions: { [EXTENSION]: {} } };
    const { result } = await world.ask("tools/call", { name: "asks_later" }, { capabilities });
    await settle();
    expect(await world.look(result.taskId)).toMatchObject({ status: "completed", result: { isError: true } });
  });

  test("whose call then fails is cancelled: nobody learns its id", async () => {
    const world = setUp();
    expect((await world.ask("tools/call", { name: "works_then_throws" })).error?.code).toBe(-32603);
    expect(world.works[0]?.context.signal.aborted).toBe(true);
  });

  test("outlives its request, but not the server", async () => {
    const world = setUp();
    const taskId = await world.start("works");
    world.endpoint.stop();
    expect(world.works[0]?.context.signal.aborted).toBe(true);
    expect(await world.look(taskId)).toMatchObject({ status: "cancelled" });
  });
});

describe("the time of a task", () => {
  test("is kept to the millisecond, and its work is aborted with it", async () => {
    const world = setUp();
    const { result } = await world.ask("tools/call", { name: "brief" });
    expect(result.ttlMs).toBe(1000);
    world.clock.at += 999;
    expect((await world.look(result.taskId)).status).toBe("working");
    world.clock.at += 1;
    expect(await world.ask("tasks/get", { taskId: result.taskId })).toMatchObject(UNKNOWN);
    expect(world.works[0]?.context.signal.aborted).toBe(true);
  });

  test("ends also if nobody looks", async () => {
    const world = setUp();
    await world.start("brief");
    world.clock.at += 20_000;
    world.endpoint.sweep();
    expect(world.works[0]?.context.signal.aborted).toBe(true);
  });
});

describe("whose it is", () => {
  test("nobody else can see, answer or cancel it, and cannot tell it from none", async () => {
    const world = setUp();
    const taskId = await world.start("works", "ann");
    const none = (await world.ask("tasks/get", { taskId: "none" })).error;
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
      for (const other of [{}, { bearer: "bob" }]) {
        const answer = await world.ask(method, { taskId, inputResponses: {} }, other);
        expect(answer).toMatchObject(UNKNOWN);
        expect(answer.error).toEqual(none);
      }
    }
    expect((await world.ask("tasks/get", { taskId }, { bearer: "ann" })).result.status).toBe("working");
  });

  test("one caller has a bound, and beyond it the work is done within the call", async () => {
    const world = setUp();
    for (let n = 0; n < TASKS_PER_PRINCIPAL_MAX; n++) await world.start("works", "ann");
    const { body, headers } = modernCall("x", "tools/call", { name: "works" }, CAPABLE);
    const reply = heldOf(world.post(body, headers, { ...CALLER, bearer: "ann" }));
    world.works.at(-1)?.release("done in the call");
    expect(jsonOf(await reply.reply).body).toMatchObject({ result: { resultType: "complete" } });
    const { result } = await world.ask("tools/call", { name: "brief" }, { bearer: "ann" });
    expect(result).toMatchObject({ resultType: "complete", isError: true });
    await world.start("works", "bob");
  });

  test("there is a bound for all, which expired tasks do not count against", async () => {
    const world = setUp();
    for (let n = 0; n < TASKS_MAX; n++) await world.start("brief");
    expect((await world.ask("tools/call", { name: "brief" })).result).toMatchObject({ isError: true });
    world.clock.at += 1000;
    await world.start("brief");
  });
});

describe("the methods", () => {
  test("exist in the modern era only, and only where a tool starts tasks", async () => {
    const world = setUp();
    const { result } = await world.ask("server/discover", {});
    expect(result.capabilities).toMatchObject({ extensions: { [EXTENSION]: {} } });
    const session = world.open("2025-11-25", CALLER, CAPABLE);
    const legacy = world.post({ jsonrpc: "2.0", id: 1, method: "tasks/get", params: { taskId: "x" } }, session);
    expect(jsonOf(legacy).body).toMatchObject({ error: { code: -32601 } });

    const plain = createEndpoint();
    const { body, headers } = modernCall(1, "tasks/get", { taskId: "x" });
    expect(jsonOf(plain.post(body, headers))).toMatchObject({ status: 404, body: { error: { code: -32601 } } });
    const discover = modernCall(1, "server/discover", {});
    expect(JSON.stringify(jsonOf(plain.post(discover.body, discover.headers)))).not.toContain(EXTENSION);
  });

  test("need the declaration, the header and well-formed parameters", async () => {
    const world = setUp();
    const taskId = await world.start("works");
    for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
      const undeclared = await world.ask(method, { taskId, inputResponses: {} }, { capabilities: {} });
      expect(undeclared).toMatchObject({
        status: 400,
        error: { code: -32021, data: { requiredCapabilities: { extensions: { [EXTENSION]: {} } } } },
      });
      const { body, headers } = modernCall(1, method, { taskId }, CAPABLE);
      for (const name of ["other", ""]) {
        expect(jsonOf(world.post(body, { ...headers, "mcp-name": name }))).toMatchObject({
          status: 400,
          body: { error: { code: -32020 } },
        });
      }
    }
    expect(await world.ask("tasks/update", { taskId })).toMatchObject(UNKNOWN);
    expect(await world.ask("tasks/update", { taskId, inputResponses: [] })).toMatchObject(UNKNOWN);
    expect(await world.ask("tasks/get", { taskId: "" })).toMatchObject(UNKNOWN);
  });

  test("that were removed are unknown, whatever the headers say", async () => {
    const world = setUp();
    for (const method of ["tasks/result", "tasks/list"]) {
      const { body, headers } = modernCall(1, method, { taskId: "x" }, CAPABLE);
      for (const name of ["x", "y"]) {
        expect(jsonOf(world.post(body, { ...headers, "mcp-name": name }))).toMatchObject({
          status: 404,
          body: { error: { code: -32601 } },
        });
      }
    }
  });
});

describe("a caller without tasks", () => {
  test("has the work done within the call, in both eras", async () => {
    const world = setUp();
    const session = world.open();
    const { body, headers } = modernCall(1, "tools/call", { name: "works" }, {});
    const replies = [world.post(body, headers), world.post(call(2, "works", { task: { ttl: 5 } }), session)];
    for (const held of world.works) held.release("done");
    for (const reply of replies) {
      expect(jsonOf(await heldOf(reply).reply).body).toMatchObject({ result: { content: [{ text: "done" }] } });
    }
  });

  test("is refused by a tool that works as a task only", async () => {
    const world = setUp();
    expect((await world.ask("tools/call", { name: "brief" }, { capabilities: {} })).error?.code).toBe(-32021);
    const session = world.open("2025-11-25", CALLER, CAPABLE);
    const { body } = jsonOf(world.post(call(2, "brief"), session));
    expect(body).toMatchObject({ result: { isError: true } });
    expect(world.runs).toEqual([]);
  });
});

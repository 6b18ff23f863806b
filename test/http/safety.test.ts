/**
 * Nothing leaves before it is kept: answers of every verb, and what streams say.
 *
 * This file owns the gate between a turn and its telling. What keeps is the journal's business.
 */
import { afterEach, expect, test } from "bun:test";
import type { Safety } from "../../src/http/safety.ts";
import { openSession, post, request, startServer, type TestServer, toolCall } from "../support/http-fixture.ts";
import { StreamReader } from "../support/http-stream.ts";

/** Keeps when it is told to, like a slow disk; or never again, like a full one. */
class SlowDisk implements Safety {
  isSlow = false;
  isFull = false;
  /** How often somebody asked before telling something. */
  asked = 0;
  #safe = Promise.withResolvers<void>();

  whenSafe(): Promise<void> | undefined {
    this.asked++;
    return this.isSlow || this.isFull ? this.#safe.promise : undefined;
  }

  makeSafe(): boolean {
    this.asked++;
    return !this.isFull;
  }

  keep(): void {
    this.isSlow = false;
    this.#safe.resolve();
  }
}

let server: TestServer;
afterEach(() => server.http.stop());

/** Whether something comes soon. */
async function comes(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), Bun.sleep(50).then(() => false)]);
}

function open() {
  const disk = new SlowDisk();
  server = startServer({ safety: disk, stopMs: 50, fallback: () => new Response("a page") });
  return disk;
}

test.each([
  ["POST", (headers: Record<string, string>) => post(server.mcp, toolCall(1, "echo"), headers)],
  ["DELETE", (headers: Record<string, string>) => fetch(server.mcp, { method: "DELETE", headers })],
  ["a path of the application's", () => fetch(`${server.http.url}/other`)],
])("%s is done at once and answered once it is kept", async (_verb, ask) => {
  const disk = open();
  const headers = await openSession(server.mcp);
  disk.isSlow = true;
  const answer = ask(headers);
  expect(await comes(answer)).toBe(false);
  disk.keep();
  expect((await answer).status).toBeLessThan(300);
});

test("a disk that is full lets no answer out", async () => {
  const disk = open();
  disk.isFull = true;
  expect(await comes(post(server.mcp, request(1, "ping")))).toBe(false);
});

test("a stream says nothing that is not kept, though it asks for it", async () => {
  const disk = open();
  const headers = await openSession(server.mcp);
  await post(server.mcp, toolCall(1, "echo"), headers);
  const session = server.seen.at(-1)?.session ?? "";
  const stream = await StreamReader.get(server.mcp, headers);
  await stream.next();
  server.push.push(session, "n", { n: 1 });
  expect((await stream.message())?.message).toMatchObject({ params: { n: 1 } });

  const { asked } = disk;
  disk.isFull = true;
  server.push.push(session, "n", { n: 2 });
  expect(await comes(stream.message())).toBe(false);
  expect(disk.asked).toBeGreaterThan(asked);
});

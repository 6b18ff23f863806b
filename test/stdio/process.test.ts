/** `mcp-chat stdio` as a process: what is on which stream, and how it ends. */

import { describe, expect, test } from "bun:test";
import { within } from "../support/client-deadline.ts";
import { CHECKOUT, run } from "../support/program.ts";

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};
const line = (id: number, method: string, params: object = {}) =>
  `${JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta: META } })}\n`;

function start(args: readonly string[] = [], env: Record<string, string> = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("MCP_CHAT_"));
  return Bun.spawn([process.execPath, "src/main.ts", "stdio", ...args], {
    cwd: CHECKOUT,
    env: { ...Object.fromEntries(inherited), ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs it on a text, to its end. */
async function runOn(text: string, args?: readonly string[], env?: Record<string, string>) {
  const child = start(args, env);
  child.stdin.write(text);
  child.stdin.end();
  const output = Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  const [stdout, stderr, code] = await within("the program to end", output);
  return {
    said: stdout
      .split("\n")
      .filter(Boolean)
      .map((text) => JSON.parse(text)),
    stdout,
    stderr,
    code,
  };
}

describe("the end of the input", () => {
  test("at once: nothing was said and nothing done", async () => {
    expect(await runOn("")).toEqual({ said: [], stdout: "", stderr: "", code: 0 });
  });

  test("after requests: they are answered, and it exits with 0", async () => {
    const { said, stderr, code } = await runOn(
      `nonsense\n${line(1, "tools/list")}${line(2, "server/discover").trim()}`,
    );
    expect(said.map(({ id, error }) => id ?? error.code)).toEqual([-32700, 1, 2]);
    expect([stderr, code]).toEqual(["", 0]);
  });

  test("while a call is held: it is answered instead of waited for", async () => {
    const entered = line(1, "tools/call", { name: "enter_queue", arguments: {} });
    const first = await runOn(entered);
    expect(first.said[0].result.structuredContent.status).toBe("waiting");
    const child = start();
    child.stdin.write(entered);
    await child.stdin.flush();
    const reader = child.stdout.getReader();
    const { value } = await within("the first answer", reader.read());
    const { session_token } = JSON.parse(new TextDecoder().decode(value)).result.structuredContent;
    const before = performance.now();
    child.stdin.write(line(2, "tools/call", { name: "wait_for_message", arguments: { session_token } }));
    child.stdin.end();
    const answer = await within("the second answer", reader.read());
    expect(JSON.parse(new TextDecoder().decode(answer.value))).toMatchObject({
      id: 2,
      result: { structuredContent: { timed_out: true } },
    });
    expect(await within("the program to end", child.exited)).toBe(0);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe("other ends", () => {
  test("SIGTERM ends it politely", async () => {
    const child = start();
    child.stdin.write(line(1, "server/discover"));
    await child.stdin.flush();
    const reader = child.stdout.getReader();
    await within("an answer", reader.read());
    child.kill("SIGTERM");
    expect(await within("the program to end", child.exited)).toBe(0);
  });

  test("a client that closes its reading end is gone", async () => {
    const child = start();
    child.stdin.write(line(1, "server/discover"));
    await child.stdin.flush();
    const reader = child.stdout.getReader();
    await within("an answer", reader.read());
    await reader.cancel();
    // The pipe closes a moment later; an answer that still went into it tells the program nothing.
    const askOn = async (): Promise<number> => {
      for (let id = 2; child.exitCode === null; id++) {
        try {
          child.stdin.write(line(id, "server/discover"));
          await child.stdin.flush();
        } catch (_brokenPipe) {
          break; // It has stopped reading, so it is about to end.
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      return child.exited;
    };
    expect(await within("the program to end", askOn())).toBe(0);
  });
});

describe("the streams", () => {
  test("a huge line costs nothing but an error", async () => {
    const { said, code } = await runOn(`${"x".repeat(5_000_000)}\n${line(1, "server/discover")}`);
    expect(said.map(({ id, error }) => id ?? error.code)).toEqual([-32600, 1]);
    expect(code).toBe(0);
  });

  test("more answers than a pipe holds all arrive, in order", async () => {
    const requests = Array.from({ length: 300 }, (_, id) => line(id, "tools/list"));
    const { said, stdout } = await runOn(requests.join(""));
    expect(stdout.length).toBeGreaterThan(1_000_000);
    expect(said.map(({ id }) => id)).toEqual([...requests.keys()]);
  });
});

describe("the command line", () => {
  test("takes the settings of the lobby, and those of HTTP only from an environment meant for a server", async () => {
    const settings = { MCP_CHAT_HOST: "0.0.0.0", MCP_CHAT_MESSAGE_CHARS_MAX: "7" };
    const { stdout, code } = await runOn(line(1, "tools/list"), ["--grace-seconds", "5"], settings);
    expect([code, stdout.includes("up to 7 characters")]).toEqual([0, true]);
  });

  test.each(["--port 1", "--bogus", "--grace-seconds x", "extra"])("%s is a mistake", async (words) => {
    const { code, stdout, stderr } = await run([process.execPath, "src/main.ts", "stdio", ...words.split(" ")]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^mcp-chat: [^\n]+\n$/);
  });

  test("its help says that one pipe is one user, and offers nothing of HTTP", async () => {
    const { stdout, code } = await run([process.execPath, "src/main.ts", "stdio", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("usage: mcp-chat stdio [options]");
    expect(stdout.replaceAll("\n", " ")).toContain("one user, who waits");
    expect(stdout).not.toContain("--port");
    expect(stdout.split("\n").filter((text) => text.length > 80)).toEqual([]);
  });
});

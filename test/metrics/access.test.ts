/**
 * Who may see the figures of the program, and that they are not there unless asked for.
 *
 * This file owns the promises of `--metrics`.
 */

import { expect, test } from "bun:test";
import { RawModern } from "../support/client-raw.ts";
import { run, startProgram } from "../support/program.ts";
import { readPrometheusText } from "../support/prometheus-text.ts";

async function status(url: string, headers: Record<string, string> = {}, method = "GET"): Promise<number> {
  const response = await fetch(url, { method, headers });
  await response.arrayBuffer();
  return response.status;
}

test("without --metrics there is no such page", async () => {
  const program = await startProgram({ kind: "source" });
  expect(await status(`${program.origin}/metrics`)).toBe(404);
  expect(await program.stop()).toBe(0);
});

test("with it the page is Prometheus', for GET and HEAD", async () => {
  const program = await startProgram({ kind: "source", args: ["--metrics"] });
  const url = `${program.origin}/metrics`;
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(
    readPrometheusText(await response.text())
      .get("mcp_chat_users")
      ?.samples.get("mcp_chat_users"),
  ).toBe(0);
  expect(await status(url, {}, "HEAD")).toBe(200);
  const posted = await fetch(url, { method: "POST" });
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  expect(await status(url, { host: "evil.example" })).toBe(403);
  expect(await status(url, { origin: "https://evil.example" })).toBe(403);
  expect(await program.stop()).toBe(0);
});

test("where the server asks for a token, so does the page", async () => {
  const env = { MCP_CHAT_ACCESS_TOKEN: "s3cret", MCP_CHAT_ADMIN_TOKEN: "adm1n", MCP_CHAT_METRICS: "true" };
  const program = await startProgram({ kind: "source", env });
  const url = `${program.origin}/metrics`;
  const unknown = await fetch(url);
  expect([unknown.status, unknown.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  expect(await unknown.text()).not.toContain("mcp_chat_");
  expect(await status(url, { authorization: "Bearer wrong" })).toBe(401);
  expect(await status(url, { authorization: "Bearer s3cret" })).toBe(200);
  // As with any request, a token handed out under the secret stands for it.
  const ann = new RawModern(program.url, { authorization: "Bearer s3cret" });
  await ann.call("enter_queue");
  expect(await status(url, { authorization: `Bearer ${ann.token}` })).toBe(200);
  expect(await program.stop()).toBe(0);
});

test("a pipe has no page, and says so", async () => {
  const asked = await run([process.execPath, "src/main.ts", "stdio", "--metrics"]);
  expect(asked).toMatchObject({ code: 2, stderr: "mcp-chat: unknown option --metrics; see --help\n" });
});

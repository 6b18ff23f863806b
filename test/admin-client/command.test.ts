/** The command line of `mcp-chat admin`: which request each command is, and what is refused. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseAdminCommand } from "../../src/admin-client/command.ts";
import { visibleBlock, visibleLine } from "../../src/admin-client/visible.ts";
import { parseCommandLine } from "../../src/cli.ts";

fc.configureGlobal({ seed: 1 });

const ENV = { MCP_CHAT_ADMIN_TOKEN: "s3cret", MCP_CHAT_PORT: "for a server", HOME: "/nowhere" };

function refused(argv: readonly string[], env: Record<string, string> = ENV): string {
  const parsed = parseAdminCommand(argv, env);
  if (parsed.ok) throw new Error("accepted, but should not be");
  return parsed.message;
}

describe("commands", () => {
  const cells: [line: string, request: Record<string, unknown>][] = [
    ["reports", { method: "GET", path: "/admin/reports?state=open", view: "reports", limit: 50, json: false }],
    ["reports --all --limit 7 --json", { path: "/admin/reports?state=all", limit: 7, json: true }],
    ["report report_x", { method: "GET", path: "/admin/reports/report_x" }],
    ["resolve report_x", { method: "POST", path: "/admin/reports/report_x/resolve", body: {} }],
    ["resolve report_x talked to them", { body: { note: "talked to them" } }],
    ["resolve report_x --note talked", { body: { note: "talked" } }],
    ["bans", { method: "GET", path: "/admin/bans" }],
    ["ban user ann", { method: "POST", path: "/admin/bans", body: { user_id: "ann" } }],
    ["ban user ann --for 7d --note spam", { body: { user_id: "ann", expires_in_seconds: 604_800, note: "spam" } }],
    ["ban address 2001:db8::1 --for 45s", { body: { address: "2001:db8::1", expires_in_seconds: 45 } }],
    ["unban ban_x", { method: "DELETE", path: "/admin/bans/ban_x" }],
    ["rooms", { method: "GET", path: "/admin/rooms" }],
    ["close room_x", { method: "POST", path: "/admin/rooms/room_x/close" }],
    ["user ann", { method: "GET", path: "/admin/users/ann" }],
    ["kick ann", { method: "POST", path: "/admin/users/ann/kick" }],
    ["kick -- --help", { path: "/admin/users/--help/kick" }],
    ["announce Back in five minutes", { path: "/admin/announcements", body: { text: "Back in five minutes" } }],
    ["audit", { method: "GET", path: "/admin/audit" }],
    ["export", { method: "GET", path: "/admin/export", view: "lines" }],
    ["export room room_x", { path: "/admin/export?room=room_x" }],
    ["export user ann --since 2026-01-31", { path: "/admin/export?user=ann&since=2026-01-31" }],
    ["export --since 2026-01-31T12:00:00Z", { path: "/admin/export?since=2026-01-31T12%3A00%3A00Z" }],
    ["summary", { method: "GET", path: "/admin/summary", url: "http://127.0.0.1:8000", token: "s3cret" }],
    ["--url https://chat.example.org/mcp summary", { url: "https://chat.example.org" }],
    ["summary --url http://127.0.0.1:9/prefix/", { url: "http://127.0.0.1:9/prefix" }],
  ];
  test.each(cells)("%s", (line, request) => {
    const asked = parseCommandLine(["admin", ...line.split(" ")], ENV);
    expect(asked).toMatchObject({ kind: "admin", command: request });
  });

  test.each([
    "",
    "report",
    "report a b",
    "export ann",
    "export room",
    "export room a/b",
    "export room a b",
    "export report a",
    "export --since yesterday",
    "export --since 2026-13-01",
    "rooms --since 7d",
    "report ../bans",
    "report a/b",
    "ban",
    "ban ann",
    "ban user",
    "ban user a.b",
    "ban room x",
    "ban user ann --for 7",
    "ban user ann --for 0s",
    "ban user ann --for 9999d",
    "announce",
    "rooms 5",
    "rooms --limit 0",
    "rooms --for 7d",
    "bans --all",
    "kick ann --note x",
    "resolve report_x words --note words",
    "summary --url ftp://host",
    "summary --url nowhere",
    "summary --port 8000",
    "sumary",
    "constructor",
  ])("%j is refused on one line", (line) => {
    expect(refused(line === "" ? [] : line.split(" "))).toMatch(/^[ -~]{1,300}$/);
  });

  test("the token comes from the environment or a file, and is never repeated", () => {
    expect(refused(["summary"], {})).toContain("MCP_CHAT_ADMIN_TOKEN");
    expect(parseAdminCommand(["summary", "--admin-token-file", "token"], {}).ok).toBe(true);
    expect(refused(["summary", "--admin-token", "hunter2"])).not.toContain("hunter2");
    expect(refused(["summary", "--admin-token=hunter2"])).not.toContain("hunter2");
    expect(refused(["summary"], { MCP_CHAT_ADMIN_TOKEN: "hunter2 x" })).not.toContain("hunter2");
    expect(refused(["summary", "--url", "http://me:hunter2@host"])).not.toContain("hunter2");
  });

  test("the help fits a screen of 80 columns", () => {
    const asked = parseCommandLine(["admin", "--help"], {});
    if (asked.kind !== "help") throw new Error(asked.kind);
    const lines = asked.text.split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.length).toBeLessThanOrEqual(35);
  });
});

describe("words of strangers", () => {
  test("show what cannot be seen", () => {
    expect(visibleLine("a\u001b[2Jb\u202ec\u200bd\ne\u00a0f")).toBe("a\\u{1b}[2Jb\\u{202e}c\\u{200b}d\\u{a}e\\u{a0}f");
    expect(visibleLine("Grüße, 你好 👋")).toBe("Grüße, 你好 👋");
    expect(visibleBlock("one\ndone\r")).toEqual(["  | one", "  | done\\u{d}"]);
  });

  test("never have anything in them that acts, whatever is written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const line of visibleBlock(text)) {
          expect(line).toStartWith("  | ");
          expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        }
      }),
    );
  });
});

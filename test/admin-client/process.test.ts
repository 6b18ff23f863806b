/** `mcp-chat admin` as an operator runs it: a process beside a server, its output and exit code. */

import { afterAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pairUp, RawModern } from "../support/client-raw.ts";
import { CHECKOUT, type Run, run, startProgram, temporaryFolder } from "../support/program.ts";

const TOKEN = "operators-only";
const folder = temporaryFolder();
const auditFile = join(folder, "audit.jsonl");
const wordsFile = join(folder, "words.txt");
writeFileSync(wordsFile, "# not wanted\nrumpel\n");

const server = await startProgram({
  kind: "source",
  args: ["--trusted-proxies", "127.0.0.1", "--audit-file", auditFile, "--words-file", wordsFile],
  env: { MCP_CHAT_ADMIN_TOKEN: TOKEN },
});
afterAll(() => server.stop());

/** Runs one command against the server. */
function admin(args: readonly string[], env: Record<string, string> = { MCP_CHAT_ADMIN_TOKEN: TOKEN }): Promise<Run> {
  const url = ["--url", server.origin];
  return run([process.execPath, join(CHECKOUT, "src/main.ts"), "admin", ...url, ...args], { env });
}

function caller(address: string): RawModern {
  return new RawModern(server.url, { "x-forwarded-for": address });
}

describe("an evening of moderation", () => {
  test("from a report to the ban of who was reported", async () => {
    const ann = caller("198.51.100.1");
    const bob = caller("198.51.100.2");
    const room = await pairUp(ann, bob);
    await bob.call("send_message", { message: "look:\nstate     resolved \u202e" });
    const rooms = await admin(["rooms"]);
    expect(rooms.stdout).toContain(room);
    expect(rooms.stdout).not.toContain("look:");

    const made = await ann.call("report_partner", { category: "scam", details: "sells watches" });
    const id = String(made.structured.report_id);
    const listed = await admin(["reports"]);
    expect([listed.code, listed.stderr]).toEqual([0, ""]);
    expect(listed.stdout).toMatch(new RegExp(`^REPORT .*\n${id} .*scam +open`));

    const shown = (await admin(["report", id])).stdout;
    expect(shown).toContain("what the reporter says (words of a stranger):\n  | sells watches\n");
    // A stranger's line that looks like one of ours is marked as theirs.
    expect(shown).toContain("  | look:\n  | state     resolved");
    expect(shown).toContain("state     open\n");
    expect(shown).toMatch(/^reported {2}\S+ \(unknown\) who goes by "Bob" at 198\.51\.100\.2$/m);
    expect(shown).not.toContain("\u202e");
    const reported = /^reported {2}(\S+)/m.exec(shown)?.[1] ?? "";

    expect((await admin(["ban", "user", reported, "--for", "7d", "--note", "watches"])).stdout).toMatch(
      /^banned: ban_\S+, until \d{4}-/,
    );
    expect((await admin(["resolve", id, "banned", "for", "a", "week"])).stdout).toBe("done\n");
    expect((await admin(["reports"])).stdout).toBe("no reports\n");
    expect((await bob.call("enter_queue")).refusal).toBe("banned");

    const bans = await admin(["bans", "--json"]);
    const [ban] = JSON.parse(bans.stdout).bans;
    expect(ban).toMatchObject({ user_id: reported, address: "198.51.100.2", note: "watches" });
    expect((await admin(["unban", ban.ban_id])).code).toBe(0);
    expect((await bob.call("enter_queue")).refusal).toBeUndefined();
    expect((await admin(["user", reported])).stdout).toMatch(/^status +waiting$/m);
    expect((await admin(["kick", reported])).stdout).toBe("done\n");
    expect((await admin(["announce", "Good", "night."])).stdout).toMatch(/^told: \d+\n$/);
    expect((await admin(["summary"])).stdout).toMatch(/^bans +0$/m);

    const acts = ["ban", "resolve_report", "unban", "kick", "announce"];
    const written = (await Bun.file(auditFile).text()).trim().split("\n");
    expect(written.map((line) => JSON.parse(line).act)).toEqual(acts);
    expect(JSON.parse((await admin(["audit", "--json"])).stdout).audit.map(({ act }: { act: string }) => act)).toEqual(
      acts.toReversed(),
    );
    const audit = await admin(["audit", "--limit", "2"]);
    expect(audit.stdout.trim().split("\n")).toHaveLength(3);
    expect(audit.stderr).toContain("there are more");
    for (const words of ["watches", "Good night", "sells", reported]) expect(server.stderr).not.toContain(words);
    expect(server.stderr.match(/info the operator acted act=\w+ number=\d done=true/g)).toHaveLength(acts.length);
  }, 60_000);

  test("exit codes and one line of complaint", async () => {
    const unknown = await admin(["report", "report_x"]);
    expect([unknown.code, unknown.stdout, unknown.stderr]).toEqual([1, "", "mcp-chat: There is no such report.\n"]);
    const loopback = await admin(["ban", "address", "127.0.0.1"]);
    expect([loopback.code, loopback.stdout]).toEqual([1, ""]);
    expect(loopback.stderr).toStartWith("mcp-chat: address is this machine's own, which is never banned: ");
    const wrong = await admin(["summary"], { MCP_CHAT_ADMIN_TOKEN: "wrong" });
    expect([wrong.code, wrong.stderr]).toEqual([1, "mcp-chat: This is not the admin token.\n"]);
    const misused = await admin(["ban", "ann"]);
    expect([misused.code, misused.stderr]).toEqual([
      2,
      "mcp-chat: usage: mcp-chat admin ban user ID | address ADDRESS\n",
    ]);
    const refused = await admin(["ban", "address", "192.0.2.0/24"]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      "mcp-chat: address must be an IPv4 address, or an IPv6 address or its /64 prefix.\n",
    ]);
    expect((await admin(["summary"], {})).code).toBe(2);
  }, 60_000);

  test("the token may be in a file, and no file without one is taken", async () => {
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, `${TOKEN}\n`);
    expect((await admin(["summary", "--admin-token-file", tokenFile], {})).code).toBe(0);
    expect((await admin(["summary", "--admin-token-file", wordsFile], {})).code).toBe(2);
    expect((await admin(["summary", "--admin-token-file", join(folder, "none")], {})).code).toBe(2);
  }, 60_000);
});

test("the word list is in force, and is read anew at SIGHUP", async () => {
  const ann = caller("198.51.100.7");
  const bob = caller("198.51.100.8");
  await pairUp(ann, bob);
  expect((await ann.call("send_message", { message: "Rumpel!" })).refusal).toBe("message_refused");
  writeFileSync(wordsFile, "stilz\n");
  server.kill("SIGHUP");
  while (!server.stderr.includes("the word list was read anew words=1")) await Bun.sleep(5);
  expect((await ann.call("send_message", { message: "Rumpel!" })).refusal).toBeUndefined();
  expect((await ann.call("send_message", { message: "s t i l z" })).refusal).toBe("message_refused");
  writeFileSync(wordsFile, "...\n");
  server.kill("SIGHUP");
  while (!server.stderr.includes("the old one stays")) await Bun.sleep(5);
  expect((await ann.call("send_message", { message: "stilz" })).refusal).toBe("message_refused");
  expect(server.stderr).not.toContain("stilz");
}, 30_000);

describe("a server", () => {
  async function started(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
    return run([process.execPath, join(CHECKOUT, "src/main.ts"), "--port", "0", ...args], { env });
  }

  test("does not start without the files it was told to use", async () => {
    const missing = join(folder, "missing", "file");
    const words = await started(["--words-file", missing]);
    expect([words.code, words.stdout]).toEqual([1, ""]);
    expect(words.stderr).toMatch(/^mcp-chat: cannot use the word list .*ENOENT.*\n$/);
    writeFileSync(join(folder, "bad.txt"), "fine\n***\n");
    const bad = await started(["--words-file", join(folder, "bad.txt")]);
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining("line 2 has no letter")]);
    const audit = await started(["--audit-file", missing], { MCP_CHAT_ADMIN_TOKEN: TOKEN });
    expect([audit.code, audit.stdout]).toEqual([1, ""]);
    expect(audit.stderr).toMatch(/^mcp-chat: cannot open the audit file: ENOENT.*\n$/);
    const alone = await started(["--audit-file", missing]);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining("MCP_CHAT_ADMIN_TOKEN")]);
  }, 30_000);

  test("without an admin token has no operator's surface", async () => {
    const plain = await startProgram({ kind: "source" });
    expect((await fetch(`${plain.origin}/admin/summary`)).status).toBe(404);
    const asked = await run([process.execPath, join(CHECKOUT, "src/main.ts"), "admin", "summary", "--url", plain.url], {
      env: { MCP_CHAT_ADMIN_TOKEN: TOKEN },
    });
    expect([asked.code, asked.stderr]).toEqual([
      1,
      "mcp-chat: this server has no operator's surface: it runs without an admin token\n",
    ]);
    await plain.stop();
    const gone = await run([process.execPath, join(CHECKOUT, "src/main.ts"), "admin", "summary", "--url", plain.url], {
      env: { MCP_CHAT_ADMIN_TOKEN: TOKEN },
    });
    expect([gone.code, gone.stderr]).toEqual([1, `mcp-chat: ${plain.origin} does not answer\n`]);
  }, 30_000);
});

/** Every act of the operator is written down: in the lobby, in the log, and in the file if there is one. */

import { expect, test } from "bun:test";
import { renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { AdminRig } from "../support/admin-rig.ts";
import { temporaryFolder } from "../support/program.ts";

async function linesOf(path: string): Promise<Record<string, unknown>[]> {
  const text = await Bun.file(path).text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

test("B14: each act, done or in vain, is in all three alike; the log has nobody's words", async () => {
  const path = join(temporaryFolder(), "audit.jsonl");
  await using rig = new AdminRig({ auditFile: path });
  const ann = rig.caller("198.51.100.1");
  await ann.call("enter_queue", { user_id: "chosen-by-ann" });
  await rig.caller("198.51.100.2").call("enter_queue", { user_id: "chosen-by-bob" });
  const { structured: report } = await ann.call("report_partner", { category: "spam" });
  const note = { note: "between operators" };

  await rig.admin("POST", `/reports/${report.report_id}/resolve`, note);
  const { body } = await rig.admin("POST", "/bans", { user_id: "chosen-by-bob", expires_in_seconds: 5, ...note });
  await rig.admin("POST", "/bans", { address: "192.0.2.1" });
  await rig.admin("DELETE", `/bans/${body.ban_id}`);
  await rig.admin("POST", "/users/chosen-by-ann/kick");
  await rig.admin("POST", "/rooms/room_x/close");
  await rig.admin("POST", "/announcements", { text: "said to everybody" });
  // What is only looked at, refused or not understood is no act.
  await rig.admin("GET", "/reports");
  await rig.admin("POST", "/bans", {});

  const written = await linesOf(path);
  const at = "2026-01-01T00:00:00.000Z";
  expect(written).toEqual([
    { number: 1, at, done: true, act: "resolve_report", report_id: report.report_id, ...note },
    {
      number: 2,
      at,
      done: true,
      act: "ban",
      user_id: "chosen-by-bob",
      expires_at: "2026-01-01T00:00:05.000Z",
      ...note,
    },
    { number: 3, at, done: true, act: "ban", address: "192.0.2.1", expires_at: null, note: null },
    { number: 4, at, done: true, act: "unban", ban_id: body.ban_id },
    { number: 5, at, done: true, act: "kick", user_id: "chosen-by-ann" },
    { number: 6, at, done: false, act: "close_room", room_id: "room_x" },
    { number: 7, at, done: true, act: "announce", text: "said to everybody" },
  ]);
  expect((await rig.admin("GET", "/audit")).body.audit).toEqual(written.toReversed());
  expect(rig.log).toEqual(
    written.map(({ act, number, done }) => `the operator acted ${JSON.stringify({ act, number, done })}`),
  );
});

test("the file is its owner's alone, is added to, and follows a rotation", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "audit.jsonl");
  {
    await using rig = new AdminRig({ auditFile: path });
    await rig.admin("POST", "/announcements", { text: "one" });
  }
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await using rig = new AdminRig({ auditFile: path });
  await rig.admin("POST", "/announcements", { text: "two" });
  renameSync(path, join(folder, "audit.1"));
  await rig.admin("POST", "/announcements", { text: "three" });
  rig.reopenAuditFile();
  await rig.admin("POST", "/announcements", { text: "four" });
  const textsOf = async (name: string) => (await linesOf(join(folder, name))).map(({ text }) => text);
  expect(await textsOf("audit.1")).toEqual(["one", "two", "three"]);
  expect(await textsOf("audit.jsonl")).toEqual(["four"]);
});

test("a file that cannot be opened stops the start", () => {
  const path = join(temporaryFolder(), "no", "such", "folder");
  expect(() => new AdminRig({ auditFile: path })).toThrow("ENOENT");
});

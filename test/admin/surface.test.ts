/** The operator's surface over a real server: who gets in, what each route does, what it refuses. */

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { AUDIT_ENTRIES_MAX } from "../../src/limits.ts";
import { ADMIN_TOKEN, AdminRig } from "../support/admin-rig.ts";
import { pairUp, type RawModern } from "../support/client-raw.ts";

/** Every route, with a request that its token alone keeps out. */
const ROUTES: [method: string, path: string][] = [
  ["GET", "/summary"],
  ["GET", "/reports"],
  ["GET", "/reports/report_x"],
  ["POST", "/reports/report_x/resolve"],
  ["GET", "/bans"],
  ["POST", "/bans"],
  ["DELETE", "/bans/ban_x"],
  ["GET", "/rooms"],
  ["POST", "/rooms/room_x/close"],
  ["GET", "/users/user_x"],
  ["POST", "/users/user_x/kick"],
  ["POST", "/announcements"],
  ["GET", "/audit"],
];

/** Two who chat, from two addresses. */
async function meet(rig: AdminRig): Promise<{ ann: RawModern; bob: RawModern; room: string }> {
  const ann = rig.caller("198.51.100.1");
  const bob = rig.caller("198.51.100.2");
  return { ann, bob, room: await pairUp(ann, bob) };
}

async function userIdOf(caller: RawModern): Promise<string> {
  const { structured } = await caller.call("chat_status");
  return z.object({ user_id: z.string() }).parse(structured.user).user_id;
}

/** Names of the events somebody has not read yet. */
async function unreadOf(caller: RawModern): Promise<string[]> {
  const { structured } = await caller.call("wait_for_message", { timeout_seconds: 1 });
  return (structured.events as { name: string; data: Record<string, unknown> }[]).map(({ name, data }) =>
    name === "partner.disconnected" ? `${name} ${data.reason}` : name,
  );
}

describe("the token", () => {
  test("opens every route, and nothing else does", async () => {
    await using rig = new AdminRig({ accessToken: "everybody", trustedProxies: [] });
    for (const [method, path] of ROUTES) {
      expect([path, (await rig.admin(method, path)).status]).not.toEqual([path, 401]);
    }
    // The access token is everybody's, and a session token is a user's.
    const ann = rig.caller("198.51.100.1", { authorization: "Bearer everybody" });
    await ann.call("enter_queue");
    for (const token of ["everybody", String(ann.token), `${ADMIN_TOKEN}x`, ADMIN_TOKEN.toUpperCase()]) {
      const answer = await rig.admin("GET", "/summary", undefined, { authorization: `Bearer ${token}` });
      expect([answer.status, answer.code]).toEqual([401, "unauthorized"]);
      expect(answer.headers.get("www-authenticate")).toContain("invalid_token");
    }
    for (const [method, path] of ROUTES) {
      const answer = await rig.admin(method, path, undefined, { authorization: "" });
      expect([path, answer.status]).toEqual([path, 401]);
    }
    expect((await rig.admin("GET", "/no/such/route", undefined, { authorization: "" })).status).toBe(401);
  });

  test("is not guessed: after ten wrong ones an address has to wait, others have not", async () => {
    await using rig = new AdminRig();
    const attempt = (token: string, from: string) =>
      rig.admin("GET", "/summary", undefined, { authorization: `Bearer ${token}`, "x-forwarded-for": from });
    for (let i = 0; i < 10; i++) expect((await attempt(`guess-${i}`, "198.51.100.1")).status).toBe(401);
    const refused = await attempt(ADMIN_TOKEN, "198.51.100.1");
    expect([refused.status, refused.code, refused.headers.get("retry-after")]).toEqual([429, "too_many_failures", "6"]);
    expect((await attempt(ADMIN_TOKEN, "198.51.100.2")).status).toBe(200);
    await rig.clock.pass(6000);
    expect((await attempt(ADMIN_TOKEN, "198.51.100.1")).status).toBe(200);
    expect(rig.log.filter((line) => line.startsWith("a wrong admin token came"))).toHaveLength(10);
    expect(rig.log.join()).not.toContain("guess");
  });

  test("left out any number of times keeps nobody out", async () => {
    await using rig = new AdminRig();
    for (let i = 0; i < 50; i++) await rig.admin("GET", "/summary", undefined, { authorization: "" });
    expect((await rig.admin("GET", "/summary")).status).toBe(200);
  });
});

describe("a request", () => {
  test("must come under a name of this server, from none or from its own page, and no page may read it", async () => {
    await using rig = new AdminRig();
    const url = `${rig.http.url}/admin/summary`;
    const authorization = `Bearer ${ADMIN_TOKEN}`;
    expect((await fetch(url, { headers: { authorization, host: "evil.example" } })).status).toBe(403);
    expect((await fetch(url, { headers: { authorization, origin: "https://evil.example" } })).status).toBe(403);
    const own = await fetch(url, { headers: { authorization, origin: "http://localhost:3000" } });
    expect(own.status).toBe(200);
    expect(own.headers.get("access-control-allow-origin")).toBeNull();
    expect(own.headers.get("cache-control")).toBe("no-store");
    const preflight = await rig.admin("OPTIONS", "/summary", undefined, { origin: "http://localhost:3000" });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([405, null]);
  });

  const refused: [method: string, path: string, body: unknown, status: number, code: string][] = [
    ["GET", "", undefined, 404, "not_found"],
    ["GET", "/", undefined, 404, "not_found"],
    ["GET", "/nothing", undefined, 404, "not_found"],
    ["GET", "/reports/", undefined, 404, "not_found"],
    ["GET", "/reports/a%2Fb", undefined, 404, "not_found"],
    ["GET", "/reports/:id", undefined, 404, "not_found"],
    ["GET", "/reports/report_x/resolve/x", undefined, 404, "not_found"],
    ["GET", "/reports/report_x", undefined, 404, "not_found"],
    ["GET", "/users/constructor", undefined, 404, "not_found"],
    ["POST", "/reports/report_x/resolve", {}, 404, "not_found"],
    ["POST", "/rooms/room_x/close", {}, 404, "not_found"],
    ["POST", "/users/user_x/kick", {}, 404, "not_found"],
    ["POST", "/bans", { user_id: "nobody" }, 404, "not_found"],
    ["DELETE", "/bans/ban_x", undefined, 404, "not_found"],
    ["POST", "/bans", {}, 400, "bad_input"],
    ["POST", "/bans", { user_id: "a", address: "192.0.2.1" }, 400, "bad_input"],
    ["POST", "/bans", { address: "nowhere" }, 400, "bad_input"],
    ["POST", "/bans", { address: "192.0.2.0/24" }, 400, "bad_input"],
    ["POST", "/bans", { address: "127.0.0.1" }, 400, "bad_input"],
    ["POST", "/bans", { address: "127.8.8.8" }, 400, "bad_input"],
    ["POST", "/bans", { address: "::ffff:127.0.0.1" }, 400, "bad_input"],
    ["POST", "/bans", { address: "::1" }, 400, "bad_input"],
    ["POST", "/bans", { address: "::1/64" }, 400, "bad_input"],
    ["POST", "/bans", { address: "192.0.2.1", expires_in_seconds: 0 }, 400, "bad_input"],
    ["POST", "/bans", { address: "192.0.2.1", expires_in_seconds: 1.5 }, 400, "bad_input"],
    ["POST", "/bans", { address: "192.0.2.1", until: 5 }, 400, "bad_input"],
    ["POST", "/bans", { address: "192.0.2.1", note: "x".repeat(501) }, 400, "bad_input"],
    ["POST", "/bans", [], 400, "bad_input"],
    ["POST", "/bans", "{", 400, "bad_input"],
    ["POST", "/bans", "null", 400, "bad_input"],
    ["POST", "/announcements", { text: "" }, 400, "bad_input"],
    ["POST", "/announcements", { text: "x".repeat(4001) }, 400, "bad_input"],
    ["POST", "/announcements", { text: `mcpc_${"a".repeat(43)}` }, 400, "bad_input"],
    ["POST", "/announcements", { text: 5 }, 400, "bad_input"],
    ["POST", "/announcements", `"${"x".repeat(256 * 1024)}"`, 413, "too_large"],
    ["GET", "/rooms?limit=0", undefined, 400, "bad_input"],
    ["GET", "/rooms?limit=201", undefined, 400, "bad_input"],
    ["GET", "/rooms?limit=x", undefined, 400, "bad_input"],
    ["GET", "/rooms?cursor=-1", undefined, 400, "bad_input"],
    ["GET", "/rooms?page=2", undefined, 400, "bad_input"],
    ["GET", "/reports?state=some", undefined, 400, "bad_input"],
    ["GET", "/summary?x=1", undefined, 400, "bad_input"],
    ["POST", "/summary", {}, 405, "method_not_allowed"],
    ["PUT", "/bans", {}, 405, "method_not_allowed"],
  ];
  test("that cannot be understood or names what is not there is told so, and changes nothing", async () => {
    await using rig = new AdminRig();
    for (const [method, path, body, status, code] of refused) {
      const answer = await rig.admin(method, path, body);
      expect([method, path, body, answer.status, answer.code]).toEqual([method, path, body, status, code]);
      expect(JSON.stringify(answer.body)).not.toContain("nowhere");
    }
    const put = await rig.admin("PUT", "/bans", {});
    expect(put.headers.get("allow")).toBe("GET, POST");
    expect(rig.chat.host.lobby.bans.size).toBe(0);
  });

  test("with a body must say that it is JSON", async () => {
    await using rig = new AdminRig();
    const answer = await rig.admin("POST", "/bans", '{"address":"192.0.2.1"}', { "content-type": "text/plain" });
    expect([answer.status, answer.code]).toEqual([415, "not_json"]);
  });
});

describe("reports", () => {
  test("are listed, read with what was said, and resolved with a note", async () => {
    await using rig = new AdminRig();
    const { ann, bob, room } = await meet(rig);
    await bob.call("send_message", { message: "something unkind" });
    const details = "He \u001b[31mshouted";
    const made = await ann.call("report_partner", { category: "harassment", details });
    const id = String(made.structured.report_id);

    const listed = await rig.admin("GET", "/reports");
    expect(listed.body).toEqual({
      reports: [
        {
          report_id: id,
          created_at: "2026-01-01T00:00:00.000Z",
          category: "harassment",
          room_id: room,
          reporter: { user_id: await userIdOf(ann), display_name: "Ann", kind: "unknown" },
          reported: { user_id: await userIdOf(bob), display_name: "Bob", kind: "unknown" },
          reported_address: "198.51.100.2",
          messages_kept: 1,
          resolved_at: null,
        },
      ],
      next_cursor: null,
    });
    expect(JSON.stringify(listed.body)).not.toContain("unkind");

    const full = await rig.admin("GET", `/reports/${id}`);
    expect(full.body).toMatchObject({
      report_id: id,
      details: "He shouted",
      note: null,
      messages: [{ seq: 1, from: await userIdOf(bob), message: "something unkind" }],
    });

    expect((await rig.admin("POST", `/reports/${id}/resolve`, { note: "talked to him" })).body).toEqual({
      success: true,
    });
    expect((await rig.admin("GET", "/reports")).body.reports).toEqual([]);
    expect((await rig.admin("GET", "/reports?state=all")).body.reports).toMatchObject([
      { report_id: id, resolved_at: "2026-01-01T00:00:00.000Z" },
    ]);
    expect((await rig.admin("GET", `/reports/${id}`)).body.note).toBe("talked to him");
    expect((await rig.admin("GET", "/summary")).body).toMatchObject({ version: "0.0.0", reports: 1, reports_open: 0 });
  });
});

describe("bans", () => {
  test("of a user take them out, keep them out, and end by themselves", async () => {
    await using rig = new AdminRig();
    const { ann, bob } = await meet(rig);
    const userId = await userIdOf(bob);
    const banned = await rig.admin("POST", "/bans", { user_id: userId, expires_in_seconds: 60, note: "one minute" });
    const id = String(banned.body.ban_id);
    expect(banned.body).toEqual({
      success: true,
      ban_id: id,
      created_at: "2026-01-01T00:00:00.000Z",
      user_id: userId,
      address: "198.51.100.2",
      expires_at: "2026-01-01T00:01:00.000Z",
      note: "one minute",
    });
    expect(await unreadOf(ann)).toContain("partner.disconnected moderation");
    const refused = await bob.call("enter_queue");
    expect([refused.refusal, refused.structured.error]).toMatchObject(["banned", { retry_after_ms: 60_000 }]);
    // A new name from the same place is the same person.
    expect((await rig.caller("198.51.100.2").call("enter_queue")).refusal).toBe("banned");
    expect((await rig.caller("198.51.100.3").call("enter_queue")).refusal).toBeUndefined();
    expect((await rig.admin("GET", "/bans")).body.bans).toMatchObject([{ ban_id: id }]);
    expect((await rig.admin("GET", `/users/${userId}`)).body).toMatchObject({ bans: [id], status: "idle" });
    await rig.clock.pass(60_000);
    expect((await rig.admin("GET", "/bans")).body.bans).toEqual([]);
    expect((await bob.call("enter_queue")).refusal).toBeUndefined();
  });

  test("of an address keep out everybody who comes from there, until they are lifted", async () => {
    await using rig = new AdminRig();
    const away = rig.caller("203.0.113.5, 2001:db8:7:7::1");
    const near = rig.caller("2001:db8:7:8::1");
    const banned = await rig.admin("POST", "/bans", { address: "2001:DB8:7:7:ffff::9" });
    expect(banned.body).toMatchObject({ address: "2001:db8:7:7::/64", expires_at: null });
    expect((await away.call("enter_queue")).refusal).toBe("banned");
    // What the client itself wrote into the header helps nobody.
    expect((await rig.caller("198.51.100.1, 2001:db8:7:7::2").call("join_room", { room_code: "secret" })).refusal).toBe(
      "banned",
    );
    expect((await near.call("enter_queue")).refusal).toBeUndefined();
    expect((await rig.admin("DELETE", `/bans/${banned.body.ban_id}`)).body).toEqual({ success: true });
    expect((await away.call("enter_queue")).refusal).toBeUndefined();
  });
});

describe("rooms and users", () => {
  test("rooms are listed with counts, never with what is said, and closed for both", async () => {
    await using rig = new AdminRig();
    const { ann, bob, room } = await meet(rig);
    await ann.call("send_message", { message: "between us" });
    const { body } = await rig.admin("GET", "/rooms");
    expect(body.rooms).toEqual([
      {
        room_id: room,
        created_at: "2026-01-01T00:00:00.000Z",
        by_code: false,
        members: [
          { user_id: await userIdOf(ann), display_name: "Ann", kind: "unknown" },
          { user_id: await userIdOf(bob), display_name: "Bob", kind: "unknown" },
        ],
        messages: 1,
      },
    ]);
    expect((await rig.admin("POST", `/rooms/${room}/close`, {})).body).toEqual({ success: true });
    expect(await unreadOf(ann)).toContain("partner.disconnected moderation");
    expect(await unreadOf(bob)).toContain("partner.disconnected moderation");
    expect((await rig.admin("GET", "/rooms")).body.rooms).toEqual([]);
    expect((await rig.admin("POST", `/rooms/${room}/close`, {})).status).toBe(404);
    expect((await rig.admin("GET", `/users/${await userIdOf(ann)}`)).body).toMatchObject({ past_rooms: [room] });
  });

  test("a user is shown where they are, without their secret, and is kicked but may come back", async () => {
    await using rig = new AdminRig();
    const ann = rig.caller("198.51.100.1");
    await ann.call("enter_queue", { display_name: "Ann", kind: "human" });
    const userId = await userIdOf(ann);
    const shown = await rig.admin("GET", `/users/${userId}`);
    expect(shown.body).toEqual({
      user_id: userId,
      display_name: "Ann",
      kind: "human",
      status: "waiting",
      online: true,
      streams: 0,
      address: "198.51.100.1",
      last_activity_at: "2026-01-01T00:00:00.000Z",
      room_id: null,
      past_rooms: [],
      reports: [],
      bans: [],
    });
    expect((await rig.admin("POST", `/users/${userId}/kick`)).body).toEqual({ success: true });
    expect((await rig.admin("GET", `/users/${userId}`)).body.status).toBe("idle");
    expect((await ann.call("enter_queue")).structured.status).toBe("waiting");
  });

  test("an announcement reaches everybody who is online, however many slices that takes", async () => {
    await using rig = new AdminRig({ lobby: { usersMax: 5000, queueMax: 5000 } });
    const { ann, bob } = await meet(rig);
    for (let i = 0; i < 1200; i++) rig.enter();
    const first = rig.admin("POST", "/announcements", { text: "Back in five minutes." });
    const answers = [await first, await rig.admin("POST", "/announcements", { text: "Again." })];
    expect(answers.map(({ body }) => body)).toEqual([
      { success: true, told: 1202 },
      { success: true, told: 1202 },
    ]);
    for (const caller of [ann, bob]) {
      expect((await unreadOf(caller)).filter((name) => name === "server.announcement")).toHaveLength(2);
    }
    // Slices are one act.
    expect((await rig.admin("GET", "/audit")).body.audit).toMatchObject([{ act: "announce" }, { act: "announce" }]);
  });
});

describe("pages", () => {
  test("go on where the last one ended, whatever has come meanwhile", async () => {
    await using rig = new AdminRig();
    for (let i = 0; i < 7; i++) await rig.admin("POST", "/bans", { address: `192.0.2.${i}` });
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await rig.admin("GET", `/bans?limit=3${cursor}`);
      const bans = body.bans as { address: string }[];
      seen.push(...bans.map(({ address }) => address));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
      await rig.admin("POST", "/bans", { address: `198.51.100.${seen.length}` });
    } while (cursor !== "");
    expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((last) => `192.0.2.${last}`));
  });

  test("reports of one moment are each shown once", async () => {
    await using rig = new AdminRig();
    for (let i = 0; i < 5; i++) {
      const { ann } = await meet(rig);
      await ann.call("report_partner", { category: "spam" });
    }
    const seen = new Set<unknown>();
    let cursor: unknown = null;
    do {
      const { body } = await rig.admin("GET", `/reports?limit=2${cursor === null ? "" : `&cursor=${cursor}`}`);
      for (const { report_id } of body.reports as { report_id: string }[]) {
        expect(seen.has(report_id)).toBe(false);
        seen.add(report_id);
      }
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(seen.size).toBe(5);
  });

  test("the audit log shows its bound", async () => {
    await using rig = new AdminRig();
    for (let i = 0; i < AUDIT_ENTRIES_MAX + 5; i++) {
      await rig.chat.host.submit({ type: "operate", act: { type: "unban", ban: "ban_x" } }, () => undefined);
    }
    const { body } = await rig.admin("GET", "/audit?limit=1");
    expect(body).toMatchObject({ audit: [{ number: AUDIT_ENTRIES_MAX + 5, done: false }] });
  });
});

/** Stories of the edges: stdio, what the transports refuse, and the marginal parts of each revision. */

import { HttpActor } from "../support/golden-actors.ts";
import { Pipe, PipeActor } from "../support/golden-pipes.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;
const NS = "io.modelcontextprotocol/";
const FORGED = `mcpc_${"0".repeat(43)}`;

export const EDGES: readonly Story[] = [
  {
    file: "stdio-2025-11-25",
    proves:
      "A session over stdio: nothing but ping is answered before initialize, a held call reports progress and can be cancelled, and when the input ends what is held is answered.",
    async tell(stage) {
      const pipe = new Pipe(stage);
      const ann = new PipeActor(stage, "Ann", pipe, { revision: "2025-11-25" });
      await ann.request("ping");
      await ann.request("tools/list");
      ann.raw("hello?");
      await ann.hears();
      const clientInfo = ann.client;
      await ann.request(
        "initialize",
        { protocolVersion: "2025-11-25", capabilities: {}, clientInfo },
        { layout: "tree" },
      );
      ann.notify("notifications/initialized");
      await ann.call("enter_queue", { display_name: "Ann", kind: "human" });
      const meta = { progressToken: "p" };
      const first = await ann.hold("wait_for_message", { timeout_seconds: 25 }, { meta, id: "w1", showsId: true });
      await first.hears();
      await stage.pass(10);
      await first.hears();
      ann.notify("notifications/cancelled", { requestId: "w1" });
      const second = await ann.hold("wait_for_message", { timeout_seconds: 25 });
      await pipe.end();
      await second.answer();
    },
  },
  {
    file: "stdio-2026-07-28",
    proves:
      "Requests of 2026-07-28 over stdio need no handshake. A token can be shown as an argument only, so tools know who calls, and events and subscriptions, which have no such argument, do not.",
    async tell(stage) {
      const pipe = new Pipe(stage);
      const ann = new PipeActor(stage, "Ann", pipe);
      await ann.request("server/discover");
      await ann.call("enter_queue", { display_name: "Ann", kind: "human", partner_kind: "agent" });
      await ann.request("ping");
      const nobody = ann.send("events/stream", { name: "chat.activity" });
      await nobody.answer();
      const listens = ann.send(
        "subscriptions/listen",
        { notifications: { resourceSubscriptions: ["chat://inbox"] } },
        { id: "l", showsId: true },
      );
      await listens.hears();
      await listens.answer();
      await ann.call("chat_status", { session_token: ann.token });
      const waits = await ann.hold("wait_for_message", { session_token: ann.token, timeout_seconds: 25 });
      await stage.pass(25);
      await waits.answer();
      await ann.call("leave_queue", { session_token: ann.token });
      await pipe.end();
    },
  },
  {
    file: "stdio-both-eras",
    proves:
      "Both eras on one pipe, message by message: a session and a client without one meet in the same lobby, and the session is told of it on the pipe.",
    async tell(stage) {
      const pipe = new Pipe(stage);
      const ann = new PipeActor(stage, "Ann", pipe, { revision: "2025-11-25" });
      const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: ann.client };
      await ann.quietly("initialize", params);
      ann.notify("notifications/initialized");
      await ann.request("resources/subscribe", { uri: "chat://inbox" });
      await ann.call("enter_queue", { display_name: "Ann" });
      await ann.hears();
      const bob = new PipeActor(stage, "Bob", pipe);
      const found = bob.send("tools/call", { name: "enter_queue", arguments: { display_name: "Bob" } });
      await found.answer();
      await ann.hears();
      await ann.hears();
      await ann.call("send_message", { message: "So close, and yet so far." });
      await bob.call("wait_for_message", { session_token: bob.token });
      await pipe.end();
    },
  },
  {
    file: "refused-by-http",
    proves:
      "What the HTTP edge and the sessions refuse: with a status, a JSON body that says why, and nothing of the inside. A client can tell from it which era it talks to.",
    async tell(stage) {
      const ann = HttpActor.stranger(stage, "Ann", { revision: "2025-11-25" });
      const json = (body: unknown): RequestInit => ({ body: JSON.stringify(body) });
      const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
      await ann.raw('POST {"jsonrpc":"2.0",', { body: '{"jsonrpc":"2.0",' });
      await ann.raw('POST {"id":1,"method":"ping"}', json({ id: 1, method: "ping" }));
      await ann.raw("POST tools/list with id null", json({ ...list, id: null }));
      await ann.raw("POST tools/list without a session", json(list));
      await ann.raw("POST tools/list in a session that never was", {
        ...json(list),
        headers: { "mcp-session-id": "never" },
      });
      await ann.raw("POST initialize without parameters", json({ jsonrpc: "2.0", id: 1, method: "initialize" }));
      await ann.raw("POST [] (a batch)", json([]));
      await ann.raw("POST tools/list [host: evil.example]", { ...json(list), headers: { host: "evil.example" } });
      await ann.raw("POST tools/list [origin: http://evil.example]", {
        ...json(list),
        headers: { origin: "http://evil.example" },
      });
      await ann.raw("POST tools/list [content-type: text/plain]", {
        ...json(list),
        headers: { "content-type": "text/plain" },
      });
      await ann.raw("POST tools/list [accept: text/html]", { ...json(list), headers: { accept: "text/html" } });
      await ann.raw("POST 300 KiB", { body: " ".repeat(300 * 1024) });
      await ann.raw("GET without a session", { method: "GET" });
      await ann.raw("PUT", { method: "PUT" });
      stage.note("In a session.");
      const bob = await legacy(stage, "Bob");
      await bob.request("resources/subscribe", {});
      await bob.request("tools/call", { name: "sing" });
      await bob.request("dance");
      await bob.request("logging/setLevel", { level: "loud" });
      await bob.raw("POST tools/list [mcp-protocol-version: 2020-01-01]", {
        ...json(list),
        headers: { "mcp-protocol-version": "2020-01-01" },
      });
      await bob.raw("GET [accept: application/json]", { method: "GET", headers: { accept: "application/json" } });
      await bob.raw("POST [tools/list] (a batch)", json([list]));
      await bob.raw("POST initialize once more", json({ ...list, method: "initialize" }));
    },
  },
  {
    file: "refused-2026-07-28",
    proves: "The checks of a request of 2026-07-28 in their order: what is wrong first hides what is wrong later.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.request("tools/list", {}, { meta: { [`${NS}clientCapabilities`]: null } });
      await ann.request("tools/list", {}, { meta: { [`${NS}logLevel`]: "loud" } });
      await ann.request("tools/list", {}, { headers: { "mcp-protocol-version": "2025-11-25" } });
      const future = {
        meta: { [`${NS}protocolVersion`]: "2030-01-01" },
        headers: { "mcp-protocol-version": "2030-01-01" },
      };
      await ann.request("tools/list", {}, future);
      await ann.request("tools/list", {}, { headers: { "mcp-method": "prompts/list" } });
      await ann.request("initialize", {});
      await ann.request("logging/setLevel", { level: "debug" });
      await ann.request("tasks/get", { taskId: "1" });
      await ann.request("tools/call", { name: "enter_queue" }, { headers: { "mcp-name": "leave_queue" } });
      await ann.request("tools/call", { name: "sing" });
      await ann.request("tools/list", { cursor: "page two" });
      await ann.raw("GET", { method: "GET" });
      await ann.raw("POST [] (a batch)", { body: "[]" });
      await ann.raw("POST events/stream [accept: application/json]", {
        headers: { accept: "application/json", "mcp-method": "events/stream" },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "events/stream",
          params: {
            name: "chat.activity",
            _meta: { [`${NS}protocolVersion`]: "2026-07-28", [`${NS}clientCapabilities`]: {} },
          },
        }),
      });
    },
  },
  {
    file: "limits",
    proves:
      "Nobody can have more than their share open: the subscriptions and event streams of one principal have a bound, and whoever is beyond it is told so. A request id is in use until it is answered.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann", kind: "human", partner_kind: "agent" });
      stage.note("Sixteen subscriptions, and one more.");
      const inbox = { notifications: { resourceSubscriptions: ["chat://inbox"] } };
      for (let n = 0; n < 16; n++) await stage.quietly(() => ann.send("subscriptions/listen", inbox).hears());
      await ann.request("subscriptions/listen", inbox);
      stage.note("Sixteen event streams, and one more.");
      const feed = { name: "chat.activity" };
      for (let n = 0; n < 16; n++) await stage.quietly(() => ann.send("events/stream", feed).hears());
      await ann.request("events/stream", feed);
      stage.note("One request id at a time.");
      const bob = await legacy(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob", kind: "human", partner_kind: "agent" });
      const held = await bob.hold("wait_for_message", { timeout_seconds: 20 }, { id: "w", showsId: true });
      await bob.request("ping", {}, { id: "w", showsId: true });
      await stage.pass(20);
      await held.answer();
    },
  },
  {
    file: "streams-full",
    proves:
      "A server that has no room for another stream says so, and when to come again; calls are answered all the same.",
    setting: { streamsMax: 1 },
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      await ann.get();
      const bob = await legacy(stage, "Bob");
      await bob.get();
      await bob.call("enter_queue", { display_name: "Bob" });
      const cid = modern(stage, "Cid");
      await cid.request("subscriptions/listen", { notifications: { resourceSubscriptions: ["chat://inbox"] } });
    },
  },
  {
    file: "access-token",
    proves:
      "Where an access token is set nobody comes in without it, or without the live session token of somebody who came in with it.",
    setting: { accessToken: "open-sesame" },
    async tell(stage) {
      stage.names.meet("nobody", { token: FORGED });
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      await ann.call("enter_queue", { display_name: "Ann" }, { headers: { authorization: "Bearer please" } });
      await ann.call("enter_queue", { display_name: "Ann" }, { headers: { authorization: "Bearer open-sesame" } });
      await ann.call("chat_status");
      await ann.call("chat_status", {}, { headers: { authorization: `Bearer ${FORGED}` } });
    },
  },
  {
    file: "batch-2025-03-26",
    proves: "Batches exist in one revision only, and their answers come together.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann", { revision: "2025-03-26" });
      const batch = [
        { jsonrpc: "2.0", id: 1, method: "ping" },
        { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 9 } },
        { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "chat_status" } },
        { jsonrpc: "2.0", id: 3, method: "dance" },
      ];
      await ann.batch(batch);
      await ann.batch(batch.slice(1, 2));
    },
  },
  {
    file: "progress-and-logging",
    proves:
      "While a call is held its client hears progress, if it gave a token, and log messages, if it asked for that level: a session once for all, a request of 2026-07-28 for itself. Neither carries a stranger's words.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann", { client: "claude-code" });
      await ann.call("enter_queue", { display_name: "Ann", kind: "human", partner_kind: "agent" });
      await ann.request("logging/setLevel", { level: "debug" });
      const annWaits = await ann.hold("wait_for_message", { timeout_seconds: 30 }, { meta: { progressToken: 7 } });
      await annWaits.hears();
      await annWaits.hears();
      const bob = modern(stage, "Bob", { client: "Cursor" });
      await bob.call("enter_queue", { display_name: "Bob", kind: "human", partner_kind: "agent" });
      const meta = { progressToken: "b", [`${NS}logLevel`]: "debug" };
      const bobWaits = await bob.hold("wait_for_message", { timeout_seconds: 30 }, { meta });
      await bobWaits.hears();
      await bobWaits.hears();
      await stage.pass(10);
      await annWaits.hears();
      await annWaits.hears();
      await bobWaits.hears();
      await bobWaits.hears();
      stage.note("A client of 2026-07-28 cancels by hanging up.");
      await bobWaits.drop();
      await ann.request("logging/setLevel", { level: "error" });
      const cid = modern(stage, "Cid");
      await cid.call("enter_queue", { display_name: "Cid", kind: "agent" });
      await annWaits.answer();
    },
  },
  {
    file: "sessions-end",
    proves:
      "Who ends the last session they are bound by leaves: the partner is told left at once. Where another session of theirs goes on, nothing but the session ends.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      const elsewhere = await legacy(stage, "Ann");
      await elsewhere.call("chat_status", { session_token: ann.token });
      await ann.delete();
      await ann.request("tools/list");
      await elsewhere.call("send_message", { message: "I closed a window." });
      await elsewhere.delete();
      await bob.call("wait_for_message");
    },
  },
];

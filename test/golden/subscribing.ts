/** Stories of the chat as resources and as MCP Events. */

import { HttpActor } from "../support/golden-actors.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;

const INBOX = "chat://inbox";
const EVENTS = { extensions: { "io.modelcontextprotocol/events": {} } };

export const SUBSCRIBING: readonly Story[] = [
  {
    file: "inbox-2025-11-25",
    proves:
      "A client that knows resources only subscribes to its inbox, is told on its stream that there is something new, and reads it. A chat of one's own is a resource too; that of others does not exist.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      const annHears = await ann.get();
      await ann.request("resources/subscribe", { uri: INBOX });
      await ann.request("resources/read", { uri: INBOX });
      stage.note(
        "Ann's first call makes her somebody, so that what her inbox shows has changed; she waits, and it has again.",
      );
      await ann.call("enter_queue", { display_name: "Ann" });
      await annHears.hears();
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await annHears.hears();
      await annHears.hears();
      await ann.request("resources/read", { uri: INBOX });
      const uri = `chat://rooms/${bob.room}`;
      await ann.request("resources/subscribe", { uri });
      await ann.request("resources/unsubscribe", { uri: INBOX });
      await bob.call("leave_chat");
      await annHears.hears();
      await annHears.hears();
      await ann.request("resources/read", { uri });
      const eve = await legacy(stage, "Eve");
      await eve.request("resources/read", { uri });
      await eve.request("resources/subscribe", { uri });
    },
  },
  {
    file: "inbox-2026-07-28",
    proves:
      "The same by subscriptions/listen: what is honoured is acknowledged first, and every message says to which subscription it belongs. The open stream counts as presence.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const listens = ann.send(
        "subscriptions/listen",
        { notifications: { resourceSubscriptions: [INBOX, "chat://rooms/of-others"], toolsListChanged: true } },
        { showsId: true, id: "my inbox" },
      );
      await listens.hears();
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await listens.hears();
      await ann.request("resources/read", { uri: INBOX });
      await listens.drop();
      await bob.call("wait_for_message");
      stage.note("Nothing of this can be honoured, so the stream ends at once.");
      const nobody = modern(stage, "Eve");
      const refused = nobody.send(
        "subscriptions/listen",
        { notifications: { promptsListChanged: true } },
        { showsId: true },
      );
      await refused.hears();
      await refused.answer();
      await nobody.request("subscriptions/listen", { notifications: { resourceSubscriptions: INBOX } });
      await nobody.request("resources/read", { uri: INBOX });
      await nobody.request("resources/read", { uri: "chat://rooms/of-others" });
    },
  },
  {
    file: "events-poll",
    proves:
      "MCP Events without a stream: each type has a filter on one mailbox, a poll without cursor begins now, and the cursor moves on in quiet times too. A session can poll as well.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      await ann.request("events/poll", { name: "chat.activity" });
      const bob = await legacy(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await bob.call("send_message", { message: "one" });
      await bob.call("send_message", { message: "two" });
      await bob.call("send_message", { message: "three" });
      const start = ann.cursor;
      await ann.request("events/poll", { name: "message.received", cursor: start, maxEvents: 2 });
      await ann.request("events/poll", { name: "message.received", cursor: ann.cursor });
      await ann.request("events/poll", { name: "partner.disconnected", cursor: start });
      await stage.pass(5);
      await ann.request("events/poll", { name: "message.received", cursor: start, maxAgeMs: 1000 });
      stage.note("A poll may be held, until something happens.");
      const held = stage.next("stream_opened");
      const waits = ann.send("events/poll", { name: "partner.disconnected", timeoutMs: 20_000 });
      await held;
      await bob.request("events/poll", { name: "chat.activity" });
      await bob.call("leave_chat");
      await waits.answer();
    },
  },
  {
    file: "events-stream",
    proves:
      "An event stream says first where it begins, then every event in order with its cursor, and heartbeats in quiet times; whoever comes back with a cursor misses nothing.",
    setting: { keepAliveMs: 300 },
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const first = ann.send("events/stream", { name: "chat.activity" }, { showsId: true, id: "s1" });
      const { params } = await first.hears();
      const cursor = typeof params === "object" && params !== null && "cursor" in params ? params.cursor : null;
      await first.hears();
      await first.drop();
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      stage.note("Without a stream Ann was away, so nobody was paired with her; her return makes up for that.");
      const second = ann.send("events/stream", { name: "chat.activity", cursor }, { showsId: true, id: "s2" });
      await second.hears();
      await second.hears();
      await second.hears();
      await second.drop();
    },
  },
  {
    file: "events-refused",
    proves:
      "What is wrong with a request for events is said by name and data. The numbers are those of the SEP for clients that declare the extension, else those with which clients began.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.request("events/poll", { name: "chat.activity" });
      await ann.call("enter_queue", { display_name: "Ann" });
      await ann.request("events/poll", {});
      await ann.request("events/poll", { name: "weather" });
      await ann.request("events/stream", { name: "chat.activity", arguments: { room: 1 } });
      await ann.request("events/poll", { name: "partner.typing" });
      await ann.request("events/poll", { name: "chat.activity", cursor: 7 });
      await ann.request("events/poll", { name: "chat.activity", cursor: "not one of ours" });
      await ann.request("events/subscribe", { name: "chat.activity", delivery: { url: "https://example.test/" } });
      await ann.request("events/unsubscribe", { name: "chat.activity", delivery: { url: "https://example.test/" } });
      await ann.request("events/list", { cursor: "2" });
      stage.note("Ten polls at once are borne, and two a second.");
      for (let n = 0; n < 9; n++) await ann.quietly("events/poll", { name: "chat.activity" });
      await ann.request("events/poll", { name: "chat.activity" });
      stage.note("Bob's client declares the extension.");
      const bob = modern(stage, "Bob", { capabilities: EVENTS });
      await bob.request("events/stream", { name: "chat.activity" });
      await bob.call("enter_queue", { display_name: "Bob" });
      await bob.request("events/poll", { name: "weather" });
      await bob.request("events/poll", { name: "partner.typing" });
      await bob.request("events/unsubscribe", { name: "chat.activity", delivery: { url: "https://example.test/" } });
    },
  },
];

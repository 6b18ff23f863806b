/** Stories of connections that are late, get lost or come back, and of what a partner is told of it. */

import { HttpActor } from "../support/golden-actors.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;

export const CONNECTIONS: readonly Story[] = [
  {
    file: "before-the-stream",
    proves:
      "Nothing is lost before a stream is there: what happened since the first call comes on the first GET, in order, also where the revision knows no empty first event.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = await legacy(stage, "Bob", { revision: "2025-06-18" });
      await bob.call("enter_queue", { display_name: "Bob" });
      await bob.call("send_message", { message: "one" });
      await stage.pass(5);
      await bob.call("send_message", { message: "two" });
      const annHears = await ann.get();
      await annHears.hears();
      await annHears.hears();
      await annHears.hears();
      const bobHears = await bob.get();
      await bobHears.hears();
    },
  },
  {
    file: "resume",
    proves:
      "A stream is resumed exactly after Last-Event-ID. Without it, it starts after what is known to have been read, so that events may come twice, with the same event_id, but are never lost.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      let annHears = await ann.get();
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await annHears.hears();
      await bob.call("send_message", { message: "one" });
      await annHears.hears();
      const afterOne = annHears.lastEventId;
      await annHears.drop();
      await bob.call("send_message", { message: "two" });
      annHears = await ann.get(afterOne);
      await annHears.hears();
      await annHears.drop();
      stage.note("A client that remembers no event id: two comes again, for nobody knows that it has arrived.");
      annHears = await ann.get();
      await annHears.hears();
      stage.note("After half a minute without trouble, what was written counts as read.");
      await stage.pass(31);
      await annHears.drop();
      await bob.call("send_message", { message: "three" });
      annHears = await ann.get();
      await annHears.hears();
      stage.note("A second stream takes over from the first, and hears what nobody is known to have heard.");
      const annElsewhere = await ann.get();
      await annElsewhere.hears();
      await bob.call("send_message", { message: "four" });
      await annElsewhere.hears();
      stage.note("An event id that this server never gave.");
      await ann.get("nonsense");
    },
  },
  {
    file: "away-and-back",
    proves:
      "When somebody's last stream is lost their partner is told partner.away, and partner.back if they return within the grace time, by a stream or by a mere call. The chat goes on as it was.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      let annHears = await ann.get();
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = await legacy(stage, "Bob");
      const bobHears = await bob.get();
      await bob.call("enter_queue", { display_name: "Bob" });
      await annHears.hears();
      await bobHears.hears();
      const found = annHears.lastEventId;
      await annHears.drop();
      await bobHears.hears();
      await bob.call("send_message", { message: "Are you still there?" });
      await stage.pass(29);
      annHears = await ann.get(found);
      await bobHears.hears();
      await annHears.hears();
      await ann.call("send_message", { message: "Yes!" });
      await bobHears.hears();
      await annHears.drop();
      await bobHears.hears();
      await stage.pass(5);
      await ann.call("chat_status");
      await bobHears.hears();
    },
  },
  {
    file: "times-out",
    proves:
      "Whoever is away for longer than the grace time is gone, and so is, after a longer while, whoever only calls tools and stops calling. The partner is told; the one who is gone can see what became of it.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      const annHears = await ann.get();
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await annHears.hears();
      await annHears.drop();
      await bob.call("wait_for_message");
      const bobWaits = await bob.hold("wait_for_message", { after: bob.cursor, timeout_seconds: 20 });
      await stage.pass(20);
      await bobWaits.answer();
      const bobWaitsOn = await bob.hold("wait_for_message", { after: bob.cursor, timeout_seconds: 20 });
      await stage.pass(10);
      await bobWaitsOn.answer();
      stage.note("Ann's client is back too late.");
      const back = await ann.get(annHears.lastEventId);
      await ann.call("chat_status");
      await ann.call("send_message", { message: "Sorry, I was in a tunnel." });
      stage.note("Both enter again, as the users they are; this time it is Bob who stops calling.");
      await ann.call("enter_queue");
      await bob.call("enter_queue");
      await back.hears();
      await stage.pass(899);
      await bob.call("chat_status");
      await stage.pass(900);
      await back.hears();
    },
  },
  {
    file: "late-reader",
    proves:
      "Mailboxes are bounded, and a reader who comes too late is told so in every way of reading: never served silently short.",
    setting: { lobby: { mailboxBytesMax: 4000, messageRate: 0 } },
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      for (const text of ["one", "two", "three"]) await bob.call("send_message", { message: text + ".".repeat(600) });
      stage.note("By call.");
      await ann.call("wait_for_message");
      stage.note("By event: an active notice says it.");
      const same = modern(stage, "Ann");
      same.token = ann.token;
      const stream = same.send("events/stream", { name: "chat.activity", cursor: ann.cursor }, { showsId: true });
      await stream.hears();
    },
  },
  {
    file: "only-the-token",
    proves:
      "A client that lost everything but its session token goes on as the same user, in any era: it asks where it is, reads what it has missed, and a session is bound by the first call that shows the token.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann", kind: "human", interests: ["chess"] });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await stage.pass(10);
      await bob.call("wait_for_message");
      await bob.call("send_message", { message: "Hello?" });
      stage.note("Ann's client is started anew, now as one of 2026-07-28.");
      const again = modern(stage, "Ann");
      again.token = ann.token;
      await again.call("chat_status");
      await again.call("wait_for_message", { after: again.cursor });
      stage.note("And as one with a session, which shows the token once.");
      const third = await legacy(stage, "Ann");
      await third.call("chat_status");
      await third.call("chat_status", { session_token: ann.token });
      await third.call("send_message", { message: "Here I am." });
      stage.note("Entering again answers where she is, and gives the token to nobody a second time.");
      await third.call("enter_queue", { display_name: "Anna" });
    },
  },
  {
    file: "resumed-call",
    proves:
      "The answer of a long call survives its connection (2025-11-25): the client comes back with the id of the last event and gets the rest. A call that is cancelled gets no answer.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann", { client: "claude-code" });
      await ann.call("enter_queue", { display_name: "Ann" });
      const meta = { progressToken: "p" };
      const held = await ann.hold("wait_for_message", { timeout_seconds: 60 }, { meta });
      await held.hears();
      await stage.pass(10);
      await held.hears();
      stage.note("The connection of the call is lost; it is not cancelled by that.");
      await held.drop();
    },
  },
  {
    file: "shutdown",
    proves:
      "When the server stops, held calls are answered, streams end as their era has it, and clients are told to come back.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      const annHears = await ann.get();
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await annHears.hears();
      await bob.call("wait_for_message");
      const cid = modern(stage, "Cid");
      await cid.call("enter_queue", { display_name: "Cid" });
      const cidHears = cid.send("events/stream", { name: "chat.activity" }, { showsId: true });
      await cidHears.hears();
      const cidListens = cid.send(
        "subscriptions/listen",
        { notifications: { resourceSubscriptions: ["chat://inbox"] } },
        { showsId: true },
      );
      await cidListens.hears();
      const bobWaits = await bob.hold("wait_for_message", { timeout_seconds: 20 });
      const dan = await legacy(stage, "Dan", { client: "claude-code" });
      await dan.call("enter_queue", { display_name: "Dan", kind: "human", partner_kind: "agent" });
      const danWaits = await dan.hold("wait_for_message", {}, { meta: { progressToken: 1 } });
      await danWaits.hears();
      stage.note("The server stops.");
      await stage.stop();
      await bobWaits.answer();
      await danWaits.answer();
      await annHears.isSentAway();
      await annHears.ends();
      await cidHears.answer();
      await cidListens.answer();
    },
  },
];

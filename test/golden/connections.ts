/** Stories of connections that are late, get lost or come back, and of what a partner is told of it. */

import { type Exchange, HttpActor } from "../support/golden-actors.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;

/** Hears everything up to the fourth message of a chat. */
async function hearTheRest(stream: Exchange): Promise<void> {
  while (!JSON.stringify(await stream.hears()).includes("four"));
}

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
    setting: { lobby: { mailboxBytesMax: 700 } },
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const { cursor } = await ann.call("chat_status");
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      for (const message of ["one", "two", "three", "four"]) await bob.call("send_message", { message });
      stage.note("On the stream of her session, Ann is told to read her inbox anew.");
      const annHears = await ann.get();
      await hearTheRest(annHears);
      stage.note("By call.");
      await ann.call("wait_for_message");
      stage.note("By events: an active notice says it, and so does a poll.");
      const again = modern(stage, "Ann");
      again.token = ann.token;
      await again.request("events/poll", { name: "partner.disconnected", cursor: cursor ?? null });
      const stream = again.send("events/stream", { name: "chat.activity", cursor: cursor ?? null }, { showsId: true });
      await hearTheRest(stream);
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
      const { lastEventId } = held;
      stage.note("The connection of the call is lost; it is not cancelled by that.");
      await held.drop();
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      const resumed = await ann.get(lastEventId, "wait_for_message");
      await resumed.answer();
      await resumed.ends();
      stage.note("There is no more to come, which 204 says.");
      await ann.get(resumed.lastEventId);
      stage.note("A call that is cancelled.");
      const given = await ann.hold(
        "wait_for_message",
        { after: ann.cursor, timeout_seconds: 60 },
        { meta, id: "c", showsId: true },
      );
      await given.hears();
      await ann.notify("notifications/cancelled", { requestId: "c", reason: "changed my mind" });
      await given.ends();
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
      const polled = stage.next("stream_opened");
      const cidPolls = cid.send("events/poll", { name: "chat.activity", timeoutMs: 20_000 });
      await polled;
      stage.note("The server stops.");
      await stage.stop();
      await bobWaits.answer();
      await danWaits.answer();
      await cidPolls.answer();
      await annHears.isSentAway();
      await annHears.ends();
      await cidHears.answer();
      await cidListens.answer();
    },
  },
];

/** Stories of meeting by a code, signs of writing, history, reports, blocks and the operator. */

import { HttpActor } from "../support/golden-actors.ts";
import { refuseMeetings } from "./refusing.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;

export const ROOMS: readonly Story[] = [
  {
    file: "join-room",
    proves:
      "Two who know each other meet by a code, however they write it: the first waits, the second meets them at once, a third has no place. When the chat is over the code is free again.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      const annHears = await ann.get();
      await ann.call("join_room", { room_code: "Our Old Oak", display_name: "Ann", kind: "human" });
      await ann.call("chat_status");
      stage.note("The queue is another matter: Cid does not meet Ann there.");
      const cid = modern(stage, "Cid");
      await cid.call("enter_queue", { display_name: "Cid" });
      const bob = modern(stage, "Bob");
      await bob.call("join_room", { room_code: " our old OAK ", display_name: "Bob" });
      await annHears.hears();
      await cid.call("leave_queue");
      await cid.call("join_room", { room_code: "our old oak" });
      await bob.call("leave_chat");
      await annHears.hears();
      await cid.call("join_room", { room_code: "our old oak" });
      stage.note("Whoever stops waiting gives the code back.");
      await cid.call("leave_queue");
      await bob.call("join_room", { room_code: "our old oak" });
    },
  },
  {
    file: "typing",
    proves:
      "A sign of writing goes to open streams and nowhere else. It has no event id, so that resuming never repeats it; in the feed it carries the cursor of the last event. It ends with the message, or by itself.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      const annHears = await ann.get();
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await annHears.hears();
      const bobHears = bob.send("events/stream", { name: "chat.activity" }, { showsId: true });
      await bobHears.hears();
      const bobWatches = bob.send("events/stream", { name: "partner.typing" }, { showsId: true });
      await bobWatches.hears();
      await ann.call("set_typing");
      await bobHears.hears();
      await bobWatches.hears();
      stage.note("She goes on writing: nothing new is told.");
      await stage.pass(5);
      await ann.call("set_typing", { room_id: bob.room, typing: true });
      await ann.call("send_message", { message: "Well..." });
      await bobHears.hears();
      await bobHears.hears();
      await bobWatches.hears();
      stage.note("Bob begins and thinks better of it.");
      await bob.call("set_typing");
      await annHears.hears();
      await stage.pass(10);
      await annHears.hears();
      const before = annHears.lastEventId;
      await annHears.drop();
      await bobHears.hears();
      const annAgain = await ann.get(before);
      await bobHears.hears();
      await bob.call("send_message", { message: "Yes?" });
      await annAgain.hears();
      stage.note("Nothing of it is in what can be read later.");
      await bob.call("wait_for_message");
    },
  },
  {
    file: "history",
    proves:
      "What was said in a room can be read again a page at a time by the two who were in it, also after its end, as a tool and as a resource; what the partner wrote stands in frames.",
    setting: { showsFrames: true },
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = modern(stage, "Bob");
      await stage.quietly(async () => {
        await bob.call("enter_queue", { display_name: "Bob" });
        await ann.call("wait_for_message");
        await ann.call("send_message", { message: "Do you play chess?" });
        await bob.call("send_message", { message: "# Yes\n```\n![x](https://example.test/x.png)" });
        await ann.call("send_message", { message: "e4" });
      });
      await bob.call("leave_chat");
      const { room } = bob;
      await ann.call("get_history", { room_id: room, limit: 2 });
      await ann.call("get_history", { room_id: room, limit: 2, before: 2 });
      await ann.request("resources/read", { uri: `chat://rooms/${room}` });
      const eve = modern(stage, "Eve");
      await eve.call("enter_queue", { display_name: "Eve" });
      await eve.call("get_history", { room_id: room });
    },
  },
  {
    file: "report-and-block",
    proves:
      "A report tells the operator and blocks; a block ends the chat. The other one is told no more than that it is over, and the two do not meet again. One room is reported once.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const eve = await legacy(stage, "Eve");
      const eveHears = await eve.get();
      await eve.call("enter_queue", { display_name: "Eve" });
      await eveHears.hears();
      await eve.call("send_message", { message: "Send me your password." });
      await ann.call("report_partner", { category: "scam", details: "Asks for my password." });
      await eveHears.hears();
      await ann.call("report_partner", { room_id: eve.room, category: "other" });
      await eve.call("enter_queue");
      await ann.call("enter_queue");
      stage.note("Somebody else comes: the one who waits longest meets them.");
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await eveHears.hears();
      await bob.call("block_partner");
      await eveHears.hears();
      await eve.call("send_message", { message: "Bob?" });
    },
  },
  {
    file: "operator",
    proves:
      "What the operator announces reaches everybody who is there, by every way, as the operator's words. Whoever is banned is out at once, is told for how long, and can still read what they have.",
    setting: { showsFrames: true },
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      const annHears = await ann.get();
      await ann.call("enter_queue", { display_name: "Ann" });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await annHears.hears();
      const bobHears = bob.send("events/stream", { name: "server.announcement" }, { showsId: true });
      await bobHears.hears();
      stage.announce("The server restarts at noon.\nYou can come back then.");
      await annHears.hears();
      await bobHears.hears();
      await bob.call("wait_for_message");
      await ann.request("resources/read", { uri: "chat://inbox" });
      stage.ban(bob.userId, 3600);
      await annHears.hears();
      await bob.call("enter_queue");
      await bob.call("wait_for_message");
      await stage.pass(3600);
      await bob.call("enter_queue");
    },
  },
  {
    file: "refused-meetings",
    proves: "Every refusal about codes, reports, signs of writing and bans says what to do next, and nothing was done.",
    tell: (stage) => refuseMeetings(stage, (name) => modern(stage, name)),
  },
];

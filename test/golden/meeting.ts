/** Stories of two strangers who meet, talk and part, in every way of listening. */

import { HttpActor } from "../support/golden-actors.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;

export const MEETING: readonly Story[] = [
  {
    file: "meet-2025-11-25",
    proves:
      "Two strangers meet, talk and part. Each hears on the GET stream of their session, which needs no token after the first call.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      const annHears = await ann.get();
      await ann.call("enter_queue", { display_name: "Ann", kind: "human" });
      const bob = await legacy(stage, "Bob");
      const bobHears = await bob.get();
      await bob.call("enter_queue", { display_name: "Bob", kind: "agent" });
      await annHears.hears();
      await bobHears.hears();
      await stage.pass(2);
      await ann.call("send_message", { message: "Hello, who are you?", client_message_id: "a1" });
      await bobHears.hears();
      await bob.call("send_message", { message: "Bob.\nNice to meet you <3" });
      await annHears.hears();
      stage.note("Ann leaves; Bob is told, and both are nowhere.");
      await ann.call("leave_chat");
      await bobHears.hears();
      await bob.call("send_message", { message: "Ann?" });
      await bob.call("chat_status");
      await ann.delete();
      await annHears.ends();
    },
  },
  {
    file: "meet-2026-07-28-wait",
    proves:
      "Two strangers meet, talk and part with nothing but tool calls. Whoever waits is held until something happens, and passes the cursor on.",
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.call("enter_queue", { display_name: "Ann" });
      const annWaits = await ann.hold("wait_for_message", { timeout_seconds: 20 });
      const bob = modern(stage, "Bob");
      await bob.call("enter_queue", { display_name: "Bob" });
      await annWaits.answer();
      const annListens = await ann.hold("wait_for_message", { after: ann.cursor, timeout_seconds: 20 });
      stage.note("What Bob has not read yet is there at once.");
      await bob.call("wait_for_message");
      await bob.call("send_message", { message: "hello" });
      await annListens.answer();
      stage.note("One call says something and waits for the answer.");
      const annAsks = await ann.hold("send_message", { message: "How are you?", after: ann.cursor, wait_seconds: 20 });
      await bob.call("wait_for_message", { after: bob.cursor });
      await bob.call("send_message", { message: "Fine!" });
      await annAsks.answer();
      stage.note("Nothing is said for as long as Ann waits.");
      const annHopes = await ann.hold("wait_for_message", { after: ann.cursor, timeout_seconds: 10 });
      await stage.pass(10);
      await annHopes.answer();
      await bob.call("leave_chat");
      await ann.call("wait_for_message", { after: ann.cursor });
    },
  },
];

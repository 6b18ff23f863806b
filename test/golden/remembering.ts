/** Stories of what is kept for longer than the lobby remembers it, and of what is not. */

import { HttpActor } from "../support/golden-actors.ts";
import { emptyHistory, type StageOptions } from "../support/golden-stage.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;
const DAY_S = 86_400;

/** A server that remembers users for longer than rooms. */
async function setting(): Promise<StageOptions> {
  return { history: await emptyHistory(), lobby: { retainUserMs: 30 * 1000 * DAY_S } };
}

export const REMEMBERING: readonly Story[] = [
  {
    file: "history-kept",
    proves:
      "With a history a chat can be read when the lobby has long let go of it, page by page as before, as a tool and as a resource.",
    setting,
    async tell(stage) {
      const ann = modern(stage, "Ann");
      const bob = modern(stage, "Bob");
      await stage.quietly(async () => {
        await ann.call("enter_queue", { display_name: "Ann" });
        await bob.call("enter_queue", { display_name: "Bob" });
        await ann.call("send_message", { message: "Do you play chess?" });
        await bob.call("send_message", { message: "Only with strangers." });
        await ann.call("send_message", { message: "e4" });
        await ann.call("leave_chat");
      });
      stage.note("Ann and Bob have met, talked and parted.");
      await stage.pass(2 * DAY_S);
      const { room } = bob;
      await bob.call("get_history", { room_id: room, limit: 2 });
      await bob.call("get_history", { room_id: room, limit: 2, before: 2 });
      await bob.request("resources/read", { uri: `chat://rooms/${room}` });
    },
  },
  {
    file: "forget-me",
    proves:
      "Who wishes to be forgotten leaves, is nobody any more, and what they wrote is gone for the partner too. Asking once more with the same token is answered as the first time.",
    setting,
    async tell(stage) {
      const ann = modern(stage, "Ann");
      const bob = await legacy(stage, "Bob");
      const bobHears = await bob.get();
      await stage.quietly(async () => {
        await ann.call("enter_queue", { display_name: "Ann" });
        await bob.call("enter_queue", { display_name: "Bob" });
        await bobHears.hears();
        await ann.call("send_message", { message: "I live at number 7." });
        await bobHears.hears();
        await bob.call("send_message", { message: "Nice!" });
      });
      stage.note("Ann and Bob have met, and Ann has said where she lives.");
      await ann.call("forget_me");
      await bobHears.hears();
      await ann.call("forget_me");
      await ann.call("chat_status");
      await bob.call("get_history", { room_id: bob.room });
      await bob.request("resources/read", { uri: `chat://rooms/${bob.room}` });
    },
  },
];

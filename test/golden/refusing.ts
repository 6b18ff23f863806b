/** What provokes every refusal there is, told by people of any era. */

import type { Actor } from "../support/golden-actors.ts";
import type { Stage, StageOptions } from "../support/golden-stage.ts";
import { limited } from "../support/lobby-rates.ts";

/** Brings somebody into the story. */
export type Casting = (name: string) => Actor | Promise<Actor>;

const FORGED = `mcpc_${"0".repeat(43)}`;

export const REFUSING_IDENTITY: StageOptions = { lobby: { usersMax: 3, queueMax: 2 } };

/** Refusals about who is calling, for a stage set as above. */
export async function refuseIdentity(stage: Stage, cast: Casting): Promise<void> {
  stage.names.meet("nobody", { token: FORGED });
  const picky = { kind: "human", partner_kind: "agent" };
  const ann = await cast("Ann");
  await ann.call("leave_queue");
  await ann.call("enter_queue", { session_token: FORGED });
  await ann.call("wait_for_message", { session_token: FORGED });
  await ann.call("enter_queue", { display_name: "Ann", user_id: "ann", ...picky });
  const bob = await cast("Bob");
  await bob.call("enter_queue", { user_id: "ann" });
  await bob.call("enter_queue", { display_name: "Bob", ...picky });
  await bob.call("chat_status", { session_token: ann.token });
  stage.note("This queue has two places, and this server three users, who are all present in the end.");
  const cid = await cast("Cid");
  await cid.call("enter_queue", { display_name: "Cid", ...picky });
  await cid.call("enter_queue", { display_name: "Cid", kind: "agent" });
  const dan = await cast("Dan");
  await dan.call("enter_queue", { display_name: "Dan", ...picky });
  stage.note("Arguments.");
  await dan.call("enter_queue", { nickname: "Dan" });
  await dan.call("enter_queue", { kind: "robot", interests: "chess", user_id: "d a n" });
  await dan.call("enter_queue", { display_name: "\u200b" });
  await dan.call("enter_queue", { display_name: "D".repeat(41) });
  await dan.call("enter_queue", { interests: [FORGED] });
  await dan.call("enter_queue", { interests: Array.from({ length: 11 }, (_, n) => `interest ${n}`) });
  await dan.call("wait_for_message", { after: "yesterday", timeout_seconds: 0 });
}

export const REFUSING_MESSAGES: StageOptions = {
  lobby: { rates: limited({ messages: { perSecond: 1, burst: 3 } }), loopMessagesMax: 2 },
  messageCharsMax: 20,
};

/** Refusals about rooms and messages, for a stage set as above. */
export async function refuseMessages(stage: Stage, cast: Casting): Promise<void> {
  stage.names.meet("nobody", { token: FORGED });
  const ann = await cast("Ann");
  await ann.call("enter_queue", { display_name: "Ann", kind: "agent" });
  await ann.call("send_message", { message: "hello" });
  await ann.call("leave_chat");
  const bob = await cast("Bob");
  await bob.call("enter_queue", { display_name: "Bob", kind: "human" });
  const { room } = bob;
  await ann.call("leave_queue");
  await ann.call("send_message", { message: " \u200b " });
  await ann.call("send_message", { message: "A".repeat(21) });
  await ann.call("send_message", { message: FORGED });
  await ann.call("send_message", { room_id: "room_of_somebody_else", message: "hello" });
  await ann.call("send_message", {});
  stage.note(
    "Three at once, then one a second; the same client_message_id again is the same message and costs nothing.",
  );
  await ann.call("send_message", { message: "one", client_message_id: "1" });
  await ann.call("send_message", { message: "one", client_message_id: "1" });
  await ann.call("send_message", { message: "two" });
  await ann.call("send_message", { message: "three" });
  await ann.call("send_message", { message: "four" });
  await stage.pass(1);
  await ann.call("send_message", { message: "four" });
  await bob.call("leave_chat");
  await ann.call("send_message", { room_id: room, message: "Bob?" });
  stage.note("Two agents among themselves: the third message is one too many here.");
  await ann.call("enter_queue");
  const eve = await cast("Eve");
  await eve.call("enter_queue", { display_name: "Eve", kind: "agent" });
  await stage.pass(5);
  await ann.call("send_message", { message: "ping" });
  await eve.call("send_message", { message: "pong" });
  await ann.call("send_message", { message: "ping" });
  await eve.call("wait_for_message");
}

/** Refusals about meetings by code, reports, signs of writing and bans. */
export async function refuseMeetings(stage: Stage, cast: Casting): Promise<void> {
  const ann = await cast("Ann");
  const bob = await cast("Bob");
  await ann.call("join_room", { room_code: "oak" });
  await ann.call("join_room", { room_code: "our old oak", display_name: "Ann" });
  await ann.call("join_room", { room_code: "our old oak" });
  await bob.call("join_room", { room_code: "Our Old Oak", display_name: "Bob" });
  const cid = await cast("Cid");
  await cid.call("join_room", { room_code: "OUR OLD OAK", display_name: "Cid" });
  await cid.call("enter_queue", { display_name: "Cid" });
  await cid.call("get_history", { room_id: bob.room });
  await cid.call("block_partner");
  await cid.call("report_partner", { category: "spam" });
  await cid.call("leave_queue");
  await ann.call("report_partner", { category: "rudeness" });
  stage.note("Five signs of writing at once, then two a second.");
  for (const typing of [true, false, true, false, true, false]) await ann.call("set_typing", { typing });
  await ann.call("leave_chat");
  await ann.call("set_typing", { room_id: bob.room });
  stage.ban(bob.userId, 3600);
  await bob.call("join_room", { room_code: "our old oak" });
  await bob.call("enter_queue");
  stage.ban(ann.userId);
  await ann.call("enter_queue");
}

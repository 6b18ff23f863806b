/** A broad run: every tool and every method of a revision, over either transport, with nothing to read. */

import type { Actor } from "../support/golden-actors.ts";
import type { Json } from "../support/golden-minutes.ts";
import type { Stage } from "../support/golden-stage.ts";
import type { Casting } from "./refusing.ts";

const INBOX = "chat://inbox";
const PROMPT = { type: "ref/prompt", name: "meet_somebody" };

/** Parameters with which each method that answers once succeeds. */
const PARAMS: Readonly<Record<string, Json>> = {
  "server/discover": {},
  ping: {},
  "tools/list": {},
  "resources/list": {},
  "resources/templates/list": {},
  "resources/read": { uri: INBOX },
  "resources/subscribe": { uri: INBOX },
  "resources/unsubscribe": { uri: INBOX },
  "prompts/list": {},
  "prompts/get": { name: "carry_on" },
  "completion/complete": { ref: PROMPT, argument: { name: "interests", value: "c" } },
  "logging/setLevel": { level: "debug" },
  "events/list": {},
  "events/poll": { name: "chat.activity" },
  "events/subscribe": { name: "chat.activity", delivery: { url: "https://example.test/" } },
  "events/unsubscribe": { name: "chat.activity", delivery: { url: "https://example.test/" } },
};
/** Answered at length; `useTools` and the stories have them. */
const STREAMED = ["tools/call", "events/stream", "subscriptions/listen"];

/** Calls every method of a revision. @param methods what its table holds */
export async function useMethods(cast: Casting, methods: Iterable<string>): Promise<void> {
  const ann = await cast("Ann");
  await ann.call("enter_queue", { display_name: "Ann", interests: ["chess"] });
  for (const method of methods) {
    if (STREAMED.includes(method)) continue;
    const params = PARAMS[method];
    if (params === undefined) throw new Error(`nobody knows how to call ${method}`);
    await ann.request(method, params);
  }
  await ann.request("no/such/method");
  await ann.request("tools/call", { name: "no_such_tool" });
  await ann.request("tools/list", { cursor: "no such page" });
  await ann.request("resources/read", { uri: "chat://rooms/none" });
  await ann.request("prompts/get", { name: "no_such_prompt" });
  await ann.request("events/poll", { name: "no.such.event" });
}

/** Calls every tool with success, and has everything happen that a partner can be told of. */
export async function useTools(stage: Stage, cast: Casting): Promise<void> {
  const ann = await cast("Ann");
  const bob = await cast("Bob");
  await ann.call("enter_queue", { display_name: "Ann" });
  await ann.call("leave_queue", own(ann));
  await ann.call("enter_queue", { display_name: "Ann", ...own(ann) });
  const progress = { meta: { progressToken: 1 } };
  const waits = await ann.hold("wait_for_message", { timeout_seconds: 25, ...own(ann) }, progress);
  await waits.hears();
  await bob.call("enter_queue", { display_name: "Bob", kind: "agent" });
  await waits.answer();
  await ann.call("chat_status", own(ann));
  await ann.call("set_typing", own(ann));
  await ann.call("send_message", { message: "Hello!", ...own(ann) });
  await bob.call("wait_for_message", own(bob));
  const asks = await bob.hold("send_message", { message: "Yes?", wait_seconds: 20, ...own(bob) });
  await ann.call("send_message", { message: "Well.", ...own(ann) });
  await asks.answer();
  const idle = await bob.hold("wait_for_message", { timeout_seconds: 5, ...own(bob) });
  await stage.pass(5);
  await idle.answer();
  await bob.call("get_history", { room_id: bob.room, ...own(bob) });
  await bob.call("leave_chat", own(bob));
  stage.announce("The server will restart at noon.");
  await ann.call("wait_for_message", own(ann));
  await ann.call("block_partner", { room_id: ann.room, ...own(ann) });
  const code = { room_code: "Our Old Oak" };
  const cid = await cast("Cid");
  await ann.call("join_room", { ...code, ...own(ann) });
  await cid.call("join_room", { ...code, display_name: "Cid" });
  await ann.call("report_partner", { category: "spam", details: "Sells oaks.", ...own(ann) });
  await ann.call("forget_me", own(ann));
}

/** Where nothing else tells who calls, the token does. */
function own(actor: Actor): Json {
  return actor.showsToken ? {} : { session_token: actor.token };
}

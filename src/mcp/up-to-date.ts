/**
 * Where several servers are one, an answer of another may be known to a client a moment before what it tells
 * of is known here. Methods that only read wait for that; tools need not, as what they do has its place in the order.
 *
 * This file owns which methods wait. It must never cost anything where one server is alone.
 */
import type { Method } from "./dispatch.ts";
import type { ServerDefinition } from "./registry.ts";

/** Methods that read on behalf of somebody. */
const READING = [
  ...["resources/read", "resources/subscribe", "completion/complete", "subscriptions/listen"],
  ...["events/poll", "events/stream", "events/unsubscribe"],
];

/** Has the methods of a table that read wait until everything is known here. */
export function readUpToDate(methods: Map<string, Method>, { upToDate }: ServerDefinition): void {
  if (upToDate === undefined) return;
  for (const name of READING) {
    const method = methods.get(name);
    if (method !== undefined) methods.set(name, (call) => upToDate().then(() => method(call)));
  }
}

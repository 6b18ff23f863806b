/**
 * A look at the queue while this person waits in it: how many are there, and whether they still are.
 *
 * This file owns the calls for that, and that a look leaves nothing changed. It must never decide what
 * is shown.
 */
import { type Queue, queueIn } from "./conversation.ts";
import type { McpClient } from "./mcp-client.ts";

/**
 * @param isWaiting whether this person waits, as far as they know at that moment
 * @param catchUp fetches what has happened; false if that failed
 * @returns the queue; `removed` if they are in it no more and nothing that has happened explains it; undefined if
 *   there is nothing to say
 */
export async function lookAtQueue(
  client: McpClient,
  isWaiting: () => boolean,
  catchUp: () => Promise<boolean>,
): Promise<Queue | "removed" | undefined> {
  const seen = await client.callTool("chat_status", {});
  if (seen.kind !== "ok" || !isWaiting()) return undefined;
  if (seen.value.status === "idle") return (await catchUp()) && isWaiting() ? "removed" : undefined;
  if (seen.value.status !== "waiting") return undefined;
  // For those who wait already it only tells.
  const entered = await client.callTool("enter_queue", {});
  if (entered.kind !== "ok" || entered.value.status !== "waiting") return undefined;
  if (isWaiting()) return queueIn(entered.value);
  // They had stopped in this very moment, and the look has begun it anew.
  await client.callTool("leave_queue", {});
  return undefined;
}

/**
 * Interests as a person types them: in one line, separated by commas.
 *
 * This file owns that notation and where suggestions come from. What is suggested was written by
 * strangers.
 */
import { objectIn, textsIn } from "./json.ts";
import { INTERESTS_MAX, SUGGESTIONS_MAX } from "./limits.ts";
import type { McpClient } from "./mcp-client.ts";

export function interestsIn(typed: string): readonly string[] {
  const interests = typed.split(",").map((one) => one.trim());
  return interests.filter((one) => one !== "").slice(0, INTERESTS_MAX);
}

/** The line with the last one, which may be half typed, replaced. */
export function withLast(typed: string, interest: string): string {
  const before = typed.slice(0, typed.lastIndexOf(",") + 1).trim();
  return `${before}${before === "" ? "" : " "}${interest}, `;
}

/** What others wait with that begins like the last one typed: what the prompt for assistants suggests too. */
export async function suggestInterests(client: McpClient, typed: string): Promise<readonly string[]> {
  const outcome = await client.request("completion/complete", {
    ref: { type: "ref/prompt", name: "meet_somebody" },
    argument: { name: "interests", value: typed },
  });
  if (outcome.kind !== "ok") return [];
  const values = textsIn(objectIn(outcome.value.completion).values);
  return values.map((value) => value.slice(value.lastIndexOf(",") + 1).trim()).slice(0, SUGGESTIONS_MAX);
}

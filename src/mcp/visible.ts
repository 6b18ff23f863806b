/**
 * What a client of each revision may see of what the application declares.
 *
 * This file owns that comparison of fields and kinds of content with revisions. It must never
 * change a value: it shows it or leaves it out, or says in words what an old client cannot take.
 */

import type { ContentBlock, Revision } from "./registry.ts";

/** Since which revision clients know each field that is shown. */
export type Since<T> = Readonly<Partial<Record<keyof T & string, Revision>>>;

/** The fields of the table that are present and known by then, in the table's order. */
export function visible<T extends object>(declared: T, since: Since<T>, revision: Revision): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  const members: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(declared));
  for (const [field, first] of Object.entries<Revision | undefined>(since)) {
    const value = members[field];
    if (first !== undefined && value !== undefined && revision >= first) shown[field] = value;
  }
  return shown;
}

/** A content block as revisions before 2025-06-18 can take it: resource links, and audio before 2025-03-26, become words. */
export function visibleBlock(block: ContentBlock, revision: Revision): ContentBlock {
  if (block.type === "resource_link" && revision < "2025-06-18" && "uri" in block) {
    return { type: "text", text: String(block.uri) };
  }
  if (block.type === "audio" && revision < "2025-03-26") return { type: "text", text: "[audio]" };
  return block;
}

/**
 * The entries of one turn as one text, as they are kept: `[[at,entropy,command],…]`.
 *
 * This file owns that spelling, version 1 of what a segment holds.
 */
import type { Command, Entry } from "../domain/command.ts";

/** One entry. Entropy is base64url and needs no escaping. */
export function entryText({ at, entropy, command }: Entry): string {
  return `[${at},"${entropy}",${JSON.stringify(command)}]`;
}

/** The entries of a turn, in their order. */
export function turnText(entries: readonly string[]): string {
  return `[${entries.join(",")}]`;
}

/** @throws SyntaxError if it is no text of a turn */
export function entriesOf(text: string): Entry[] {
  const rows = JSON.parse(text) as [at: number, entropy: string, command: Command][];
  return rows.map(([at, entropy, command]) => ({ at, entropy, command }));
}

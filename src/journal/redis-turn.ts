/**
 * A turn of one node as it stands in the stream: `["node_…",[[n,entropy,command],…]]`. Its time is that of its
 * place in the stream.
 *
 * This file owns that spelling, and which versions of it can be read.
 */
import type { Command, Entry } from "../domain/command.ts";
import type { NodeId } from "../domain/ids.ts";
import { JournalFault } from "./fault.ts";
import { type StreamEntry, timeOf } from "./redis-stream.ts";

/** Of the spelling; the kind of the stream's entry names it. */
const VERSION = 1;
export const TURN_KIND = `turn${VERSION}`;
/** An entry that says nothing: the state at its place is in a snapshot. */
export const ANCHOR_KIND = "anchor";

/** One command that has no number yet: the rest of its row. Entropy is base64url and needs no escaping. */
export function commandText(entropy: string, command: Command): string {
  return `"${entropy}",${JSON.stringify(command)}]`;
}

/** The row of a command. @param text of `commandText` */
export function numberedText(n: number, text: string): string {
  return `[${n},${text}`;
}

/** @param commands texts of `numberedText`, in their order */
export function turnText(node: NodeId, commands: readonly string[]): string {
  return `["${node}",[${commands.join(",")}]]`;
}

/**
 * The entries of a turn, in their order; undefined if it cannot be made sense of, on any node.
 * @throws JournalFault if it was written by a newer version
 */
export function entriesOfTurn({ id, kind, text }: StreamEntry): readonly Entry[] | undefined {
  if (kind === ANCHOR_KIND) return [];
  if (kind !== TURN_KIND) {
    if (!/^turn\d+$/.test(kind)) return undefined;
    throw new JournalFault("the journal in Redis is written by a newer version of mcp-chat");
  }
  const at = timeOf(id);
  try {
    const [node, commands] = JSON.parse(text) as [NodeId, [n: number, entropy: string, command: Command][]];
    return commands.map(([n, entropy, command]) => ({ at, entropy, command, origin: { node, n } }));
  } catch (_notOurs) {
    return undefined;
  }
}

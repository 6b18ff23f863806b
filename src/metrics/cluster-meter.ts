/**
 * Figures of a node of several: how it stands with the others and with the journal they share.
 *
 * This file owns their names. It must never show an address, nor which node is which.
 */
import type { NodeFigures } from "../chat/node.ts";
import type { Exposition } from "./exposition.ts";

/** What a journal of several nodes counts. */
export interface SharedJournalFigures {
  /** Applied here since the start, whoever appended them. */
  readonly entries: number;
  /** Own commands that have come back, and how long they took in all, in milliseconds. */
  readonly commands: number;
  readonly appendMs: number;
  /** Commands on their way. */
  readonly pending: number;
  /** Entries that a node which starts would have to apply. */
  readonly tailEntries: number;
  readonly reconnects: number;
}

export function writeNode(out: Exposition, node: NodeFigures): void {
  out.gauge("mcp_chat_cluster_nodes", "Nodes that share the journal, as this one knows them.", node.nodes);
  const lives =
    "How often this node has begun anew because it was taken for lost or its state was loaded anew, and once.";
  out.counter("mcp_chat_cluster_lives_total", lives, node.lives);
  const differences = "How often another node's state was found to differ from this one's.";
  out.counter("mcp_chat_cluster_mark_differences_total", differences, node.differences);
  out.counter("mcp_chat_cluster_reloads_total", "Loadings of the state because of that.", node.reloads);
  const disregarded = "Commands asked again because this node was taken for lost meanwhile.";
  out.counter("mcp_chat_cluster_disregarded_total", disregarded, node.disregarded);
  const settled = "Requests that waited until this node knew all that others had done.";
  out.counter("mcp_chat_cluster_settled_waits_total", settled, node.settled);
  out.gauge(
    "mcp_chat_journal_reachable",
    "Whether the journal that all nodes share can be reached.",
    node.isReachable ? 1 : 0,
  );
}

export function writeSharedJournal(out: Exposition, journal: SharedJournalFigures): void {
  out.counter("mcp_chat_journal_entries_total", "Entries of the journal applied here.", journal.entries);
  out.family("mcp_chat_journal_append_seconds", "summary", "How long commands took to the journal and back.", [
    { suffix: "_sum", value: journal.appendMs / 1000 },
    { suffix: "_count", value: journal.commands },
  ]);
  out.gauge("mcp_chat_journal_pending", "Commands on their way to the journal and back.", journal.pending);
  out.gauge("mcp_chat_journal_tail_entries", "Entries that a start would have to apply again.", journal.tailEntries);
  out.counter("mcp_chat_journal_reconnects_total", "Times the journal was reached again.", journal.reconnects);
}

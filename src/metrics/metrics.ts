/**
 * The figures of a running server for Prometheus, wired: who counts, and the page with all of it.
 *
 * This file owns the page. No figure may carry a user's words, id or address, and every label has a closed
 * list of values, so that the page cannot grow. Where nobody asked for figures, none of this exists.
 */
import type { LobbyHost } from "../chat/lobby-host.ts";
import type { NodeFigures } from "../chat/node.ts";
import type { HistoryFigures } from "../history/writer.ts";
import type { HttpCounts, MetricsPage } from "../http/metrics-page.ts";
import type { ServerDefinition } from "../mcp/registry.ts";
import { type SharedJournalFigures, writeNode, writeSharedJournal } from "./cluster-meter.ts";
import { CONTENT_TYPE, Exposition } from "./exposition.ts";
import { writeHistory } from "./history-meter.ts";
import { HttpMeter } from "./http-meter.ts";
import { LobbyMeter } from "./lobby-meter.ts";
import { ProcessMeter } from "./process-meter.ts";
import { ToolMeter } from "./tool-meter.ts";

/** What a journal on disk counts. */
export interface JournalFigures {
  /** Since the start: entries written, commits, and the time they took in all. */
  readonly entries: number;
  readonly commits: number;
  readonly commitSeconds: number;
  /** Entries that a restart would have to apply again. */
  readonly tailEntries: number;
}

export interface MetricsOptions {
  readonly version: string;
  readonly host: LobbyHost;
  readonly streamsMax: number;
  /** Events that streams and polls were handed so far. */
  readonly handedOut: () => { readonly push: number; readonly events: number };
  /** Absent if nothing is kept on disk. */
  readonly journal?: (() => JournalFigures) | undefined;
  /** Absent if this server is alone. */
  readonly node?: (() => NodeFigures) | undefined;
  readonly sharedJournal?: (() => SharedJournalFigures) | undefined;
  /** Absent if there is no history. */
  readonly history?: (() => HistoryFigures) | undefined;
}

export interface Metrics {
  readonly page: MetricsPage;
  /** The same server, with the calls of its tools counted. */
  metered(definition: ServerDefinition): ServerDefinition;
  stop(): void;
}

/** Begins to count. To be called when the lobby is as it was left, before it is used. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { version, host, streamsMax, handedOut, journal, node, sharedJournal, history } = options;
  const lobby = new LobbyMeter(() => host.lobby);
  const tools = new ToolMeter();
  const http = new HttpMeter(streamsMax);
  const loop = new ProcessMeter(version);
  host.listenToAll((event) => lobby.hear(event));

  function render(counts: HttpCounts): string {
    const out = new Exposition();
    lobby.write(out);
    const delivered = { ...handedOut(), call: lobby.handedOut };
    const help = "Events handed to a stream, to MCP Events, or in the answer of a call; some more than once.";
    out.counters("mcp_chat_events_delivered_total", help, "by", delivered);
    tools.write(out);
    http.write(out, counts);
    if (journal !== undefined) writeJournal(out, journal());
    if (node !== undefined) writeNode(out, node());
    if (sharedJournal !== undefined) writeSharedJournal(out, sharedJournal());
    if (history !== undefined) writeHistory(out, history());
    loop.write(out);
    return out.text;
  }

  return {
    page: { contentType: CONTENT_TYPE, render, answered: (kind, status) => http.answered(kind, status) },
    metered: (definition) => ({ ...definition, tools: definition.tools.map((tool) => tools.metered(tool)) }),
    stop: () => loop.stop(),
  };
}

function writeJournal(out: Exposition, { entries, commits, commitSeconds, tailEntries }: JournalFigures): void {
  out.counter("mcp_chat_journal_entries_total", "Entries written to the journal.", entries);
  out.family("mcp_chat_journal_commit_seconds", "summary", "How long commits of the journal took.", [
    { suffix: "_sum", value: commitSeconds },
    { suffix: "_count", value: commits },
  ]);
  out.gauge("mcp_chat_journal_tail_entries", "Entries that a restart would have to apply again.", tailEntries);
}

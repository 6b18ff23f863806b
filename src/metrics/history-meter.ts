/**
 * Figures of the history: what waits, what was written, and what was not.
 *
 * This file owns their names and words. It must never count by user or room.
 */
import type { HistoryFigures } from "../history/writer.ts";
import type { Exposition } from "./exposition.ts";

export function writeHistory(out: Exposition, figures: HistoryFigures): void {
  const { waiting, waitingBytes, isDown, written, leftOut, refused, failures } = figures;
  out.gauge("mcp_chat_history_up", "Whether the history takes what is written: 1, or 0 in an outage.", isDown ? 0 : 1);
  out.gauge("mcp_chat_history_waiting", "Lines and rooms that wait to be written.", waiting);
  out.gauge("mcp_chat_history_waiting_bytes", "What these take in memory, about.", waitingBytes);
  out.counter("mcp_chat_history_written_total", "Lines and rooms written, some more than once.", written);
  const leftOutHelp =
    "Lines and rooms for which there was no place to wait; what the lobby still had was written later.";
  out.counter("mcp_chat_history_left_out_total", leftOutHelp, leftOut);
  out.counter("mcp_chat_history_refused_total", "Lines and rooms that the database refused for good.", refused);
  out.counter("mcp_chat_history_failures_total", "Attempts to write that failed.", failures);
}

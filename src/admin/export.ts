/**
 * The history for the operator, as lines of JSON that flow as long as somebody reads them.
 *
 * This file owns what may be asked for and how the lines flow: no more of them are held than are read at a
 * time. It must never end well if the lines did not.
 */
import type { ExportFilter } from "../history/exporting.ts";
import type { AdminError, Outcome } from "./answer.ts";
import { badInput, failed } from "./answer.ts";
import type { AuditLog } from "./audit-trail.ts";

/** What can be exported; `SqlHistory` fits. */
export interface Exportable {
  export(filter: ExportFilter): AsyncGenerator<string, void, undefined>;
}

const NO_HISTORY: AdminError = {
  status: 404,
  code: "no_history",
  message: "This server keeps no history: start it with data or history.",
};

const UNAVAILABLE: AdminError = {
  status: 503,
  code: "unavailable",
  message: "The database of the history does not answer. Try again.",
  headers: { "retry-after": "5" },
};

/** Ids as the lobby makes and takes them. */
const ID = /^[\w-]{1,128}$/;
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?$/;

/** Begins an export; whether the database answers at all is known by then. */
export async function exportHistory(
  parameters: URLSearchParams,
  history: Exportable | undefined,
  log: AuditLog,
): Promise<Outcome> {
  const filter = readFilter(parameters);
  if ("code" in filter) return failed(filter);
  if (history === undefined) return failed(NO_HISTORY);
  const lines = history.export(filter);
  try {
    const first = await lines.next();
    return { ok: true, flow: flowOf(first.done === true ? undefined : first.value, lines, log) };
  } catch (problem) {
    if (problem instanceof Error && problem.name === "HistoryUnavailable") return failed(UNAVAILABLE);
    throw problem;
  }
}

function readFilter(parameters: URLSearchParams): ExportFilter | AdminError {
  const known = [...parameters.keys()].every((key) => key === "room" || key === "user" || key === "since");
  if (!known) return badInput("There is an unknown parameter; known: room, user, since.");
  const [room, user, since] = [parameters.get("room"), parameters.get("user"), parameters.get("since")];
  if (room !== null && !ID.test(room)) return badInput("room must be the id of a room.");
  if (user !== null && !ID.test(user)) return badInput("user must be the id of a user.");
  const at = since === null ? undefined : TIME.test(since) ? Date.parse(since) : Number.NaN;
  if (Number.isNaN(at)) return badInput("since must be a date such as 2026-01-31 or 2026-01-31T12:00:00Z.");
  return {
    ...(room === null ? {} : { room }),
    ...(user === null ? {} : { user }),
    ...(at === undefined ? {} : { since: at }),
  };
}

/** The lines as they are asked for. An error breaks the connection, so that nobody takes a part for the whole. */
function flowOf(
  first: string | undefined,
  lines: AsyncGenerator<string, void, undefined>,
  log: AuditLog,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let pieces = 0;
  const report = (outcome: string): void => log.info("the operator exported the history", { pieces, outcome });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = pieces === 0 && first !== undefined ? { done: false, value: first } : await lines.next();
        if (next.done === true || next.value === undefined) {
          report("whole");
          controller.close();
          return;
        }
        pieces++;
        controller.enqueue(encoder.encode(next.value));
      } catch (problem) {
        report("broken off");
        controller.error(problem);
      }
    },
    async cancel() {
      report("cut by its reader");
      await lines.return();
    },
  });
}

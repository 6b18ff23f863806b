/**
 * Rows of a snapshot that an earlier version of these files wrote, as today's are: one step for each
 * version, one after the other.
 *
 * This file owns what older rows lacked. A step is never changed once a version that wrote them is out.
 */
import { SNAPSHOT_VERSION, type SnapshotRow } from "./snapshot.ts";

/** A row as it was read. */
type OlderRow = readonly [kind: string, ...unknown[]];

/** By version: makes a row of it one of the next. */
const STEPS: Readonly<Record<number, (row: OlderRow) => OlderRow>> = { 1: fromFirst };

/**
 * The rows as today's version would have written them.
 * @param rows of one version, this one or an earlier one
 * @throws Error if they do not begin as a snapshot does, or are of a later version
 */
export function* todaysRows(rows: Iterable<unknown>): Generator<SnapshotRow, void, undefined> {
  let steps: ((row: OlderRow) => OlderRow)[] | undefined;
  for (const read of rows) {
    let row = read as OlderRow;
    steps ??= stepsFrom(versionOf(row));
    for (const step of steps) row = step(row);
    yield row as unknown as SnapshotRow;
  }
}

/** Only the first version did not say which it is. */
function versionOf([kind, head]: OlderRow): number {
  if (kind !== "lobby") throw new Error("a snapshot does not begin with its lobby");
  return (head as { readonly version?: number }).version ?? 1;
}

function stepsFrom(version: number): ((row: OlderRow) => OlderRow)[] {
  if (version > SNAPSHOT_VERSION) throw new Error("a snapshot is of a later version");
  const steps: ((row: OlderRow) => OlderRow)[] = [];
  for (let one = version; one < SNAPSHOT_VERSION; one++) {
    const step = STEPS[one];
    if (step === undefined) throw new Error("a snapshot is of no version");
    steps.push(step);
  }
  return steps;
}

// --- version 1: one process alone, and nothing known of the streams of a session --------------------

interface FirstUser {
  readonly streams: number;
  readonly sessions: readonly (readonly [key: string, read: number])[];
}

function fromFirst(row: OlderRow): OlderRow {
  const [kind, content] = row;
  if (kind === "lobby") return [kind, { ...(content as object), version: 2, nextNode: 1, rules: 0 }];
  if (kind !== "user") return row;
  const user = content as FirstUser;
  // Whose session is their only one has their streams there, as good as always. All are over with the next start.
  const streams = user.sessions.length === 1 ? user.streams : 0;
  return [kind, { ...user, sessions: user.sessions.map(([key, read]) => [key, read, streams]) }];
}

/**
 * From what lies in a directory to the state it stands for: the latest snapshot, and after it every
 * turn, each of which must give what it gave when it was made.
 *
 * This file owns the way back. It must never skip an entry, and never guess: what is missing or damaged
 * is a fault.
 */
import type { DataDirectory } from "./directory.ts";
import { JournalFault } from "./fault.ts";
import type { Replica } from "./replica.ts";
import { type Durability, Segment } from "./segment.ts";
import { loadSnapshot } from "./snapshot-file.ts";
import { entriesOf } from "./turn-text.ts";

export interface Recovered {
  /** Sequence number of the last entry; 0 = nothing has happened yet. */
  readonly seq: number;
  /** Of the snapshot it began with; 0 = none. */
  readonly snapshot: number;
  /** Entries replayed after it. */
  readonly replayed: number;
  /** Segments that hold what came after the snapshot, open, the latest last. */
  readonly segments: Segment[];
}

/** Between two segments something is missing: the disk has kept the later one and not all of the one before. */
export class MissingEntries extends JournalFault {
  /** Sequence number of the last entry that is there. */
  readonly after: number;
  /** First sequence number of the segment that follows. */
  readonly segment: number;

  constructor(message: string, after: number, segment: number) {
    super(message);
    this.after = after;
    this.segment = segment;
  }
}

/**
 * Brings a fresh replica to the state a directory stands for.
 * @param durability how the latest segment is gone on with; "read only" if it is not
 * @param before leaves out segments that begin with this entry or a later one
 * @throws MissingEntries, JournalFault
 */
export function recover(
  directory: DataDirectory,
  replica: Replica,
  durability: Durability | "read only",
  before = Number.POSITIVE_INFINITY,
): Recovered {
  const snapshot = directory.snapshots.findLast((seq) => seq < before) ?? 0;
  if (snapshot > 0) loadSnapshot(directory.snapshotPath(snapshot), replica, true);
  const segments = openSegments(directory, snapshot, durability, before);
  try {
    const seq = replay(directory, segments, snapshot, replica);
    return { seq, snapshot, replayed: seq - snapshot, segments };
  } catch (problem) {
    for (const segment of segments) segment.close();
    throw problem;
  }
}

/** @returns sequence number of the last entry */
function replay(directory: DataDirectory, segments: readonly Segment[], snapshot: number, replica: Replica): number {
  let seq = snapshot;
  for (const segment of segments) {
    const before = seq;
    for (const turn of segment.turns(seq + 1)) {
      if (turn.seq !== seq + 1) {
        const isBetween = seq === before && segment !== segments[0];
        const fault = missing(directory, seq + 1, turn.seq - 1);
        throw isBetween ? new MissingEntries(fault.message, seq, segment.first) : fault;
      }
      const entries = entriesOf(turn.entries);
      for (const entry of entries) replica.apply(entry);
      seq += entries.length;
      segment.entries += entries.length;
      if (replica.mark !== turn.mark) {
        throw new JournalFault(
          `${directory.path}: entry ${seq} does not give what it gave; have it read by the version of mcp-chat that wrote it: mcp-chat compact-journal ${directory.path}`,
        );
      }
    }
  }
  return seq;
}

/** The segments that may hold what comes after a snapshot. */
function openSegments(
  directory: DataDirectory,
  snapshot: number,
  durability: Durability | "read only",
  before: number,
): Segment[] {
  const firsts = directory.segments.filter((first) => first < before);
  // What comes before the last one that begins no later than the first entry wanted is in the snapshot.
  const needed = firsts.filter((_, i) => (firsts[i + 1] ?? Number.POSITIVE_INFINITY) > snapshot + 1);
  const [earliest] = needed;
  if (earliest !== undefined && earliest > snapshot + 1) throw missing(directory, snapshot + 1, earliest - 1);
  const segments: Segment[] = [];
  for (const first of needed) {
    const path = directory.segmentPath(first);
    const isLast = first === needed.at(-1);
    const segment = Segment.open(path, first, isLast ? durability : "read only");
    if (segment !== undefined) segments.push(segment);
    // The last one may hold nothing: it is made anew by whoever goes on.
    else if (!isLast) throw new MissingEntries(`${path} is damaged`, first - 1, first);
  }
  return segments;
}

function missing({ path }: DataDirectory, from: number, to: number): JournalFault {
  return new JournalFault(`${path}: entries ${from} to ${to} are missing`);
}

/**
 * What somebody probably meant who mistyped a name.
 *
 * This file owns the guess. It must never take long over a long text, and never be more than a hint.
 */

/** Longest name looked at: none of ours comes near it. */
const NAME_CHARS_MAX = 64;
/** Shortest beginning that may stand for a whole name. */
const BEGINNING_CHARS_MIN = 3;

/** The name most like what was written, or the only one that begins with it; undefined if there is none near enough. */
export function nearest(written: string, names: Iterable<string>): string | undefined {
  if (written.length > NAME_CHARS_MAX) return undefined;
  const lower = written.toLowerCase();
  const candidates = [...names].map((name) => ({ name, edits: editsBetween(lower, name.toLowerCase()) }));
  const close = candidates.filter(({ edits }) => edits <= editsMax(written.length)).sort((a, b) => a.edits - b.edits);
  if (close[0] !== undefined) return close[0].name;
  if (lower.length < BEGINNING_CHARS_MIN) return undefined;
  const longer = candidates.filter(({ name }) => name.toLowerCase().startsWith(lower));
  return longer.length === 1 ? longer[0]?.name : undefined;
}

/** How many slips a word of this length may have and still be that word. */
function editsMax(length: number): number {
  if (length <= 2) return 0;
  if (length <= 5) return 1;
  return length <= 9 ? 2 : 3;
}

/** Characters to insert, drop, replace or swap with their neighbour to make one word of the other. */
function editsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

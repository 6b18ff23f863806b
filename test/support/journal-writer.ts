/**
 * A process that does nothing but append numbers to a journal and say which are safe, until it is killed.
 *
 * This file owns that process. Its arguments: the folder, entries a segment, `normal` or `full`.
 */
import type { Durability } from "../../src/journal/segment.ts";
import { openJournal } from "./journal-ledger.ts";

const [path = "", segmentEntriesMax = "0", durability = "normal"] = process.argv.slice(2);
const { journal, ledger, append } = openJournal(path, {
  segmentEntriesMax: Number(segmentEntriesMax),
  durability: durability as Durability,
  onFailure: (fault) => {
    process.stderr.write(`${fault.message}\n`);
    process.exit(1);
  },
});
process.stdout.write(`found ${ledger.entries.length}\n`);
for (let n = ledger.entries.length + 1; ; ) {
  // A few at a time, as in a turn with several requests.
  const last = n + (n % 7);
  for (; n <= last; n++) append(n);
  await journal.whenSafe();
  process.stdout.write(`safe ${last}\n`);
  await new Promise((resolve) => setImmediate(resolve));
}

/**
 * The latest turns this node has applied, as they stood in the stream, in case Redis loses them.
 *
 * This file owns that memory and its bound. It must never hold a turn that has not been applied.
 */
import { RECENT_CHARS_MAX } from "../journal-limits.ts";
import { compareIds, NOWHERE, type StreamEntry, type StreamId } from "./redis-stream.ts";

export class RecentTurns {
  #turns: StreamEntry[] = [];
  /** Turns at the beginning that are forgotten and not cut off yet. */
  #forgotten = 0;
  #chars = 0;
  /** The entry before the first that is remembered. */
  #before: StreamId = NOWHERE;

  /** Forgets everything: what comes next follows on this entry. */
  restart(before: StreamId): void {
    this.#turns = [];
    this.#forgotten = 0;
    this.#chars = 0;
    this.#before = before;
  }

  add(turn: StreamEntry): void {
    this.#turns.push(turn);
    this.#chars += turn.text.length;
    while (this.#chars > RECENT_CHARS_MAX) this.#forgetFirst();
    // Cut off rarely, as it moves all the others.
    if (this.#forgotten < 1024 || this.#forgotten < this.#turns.length / 2) return;
    this.#turns = this.#turns.slice(this.#forgotten);
    this.#forgotten = 0;
  }

  /** All turns after an entry, if all are remembered. */
  after(id: StreamId): readonly StreamEntry[] | undefined {
    if (id === this.#before) return this.#turns.slice(this.#forgotten);
    // From the end, where what is asked for is.
    const at = this.#turns.findLastIndex((turn) => compareIds(turn.id, id) <= 0);
    if (at < this.#forgotten || this.#turns[at]?.id !== id) return undefined;
    return this.#turns.slice(at + 1);
  }

  #forgetFirst(): void {
    const first = this.#turns[this.#forgotten];
    if (first === undefined) return;
    this.#chars -= first.text.length;
    this.#before = first.id;
    // Its text must not be kept by its place.
    this.#turns[this.#forgotten++] = { id: first.id, kind: first.kind, text: "" };
  }
}

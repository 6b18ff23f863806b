/**
 * An event stream as it arrives, in pieces: pieces in, the data of whole events out (HTML Standard,
 * "Interpreting an event stream"). Names and ids of events are not used here and are skipped.
 *
 * This file owns the framing. It must never look into the data.
 */
import { FRAME_CHARS_MAX } from "./limits.ts";

export class SseReader {
  /** The line that has not ended yet. */
  #line = "";
  #data: string[] = [];
  #afterReturn = false;

  /**
   * Takes the next piece of text.
   * @returns the data of the events that are complete with it; undefined if one is too long to be kept
   */
  push(piece: string): string[] | undefined {
    const events: string[] = [];
    let text = piece;
    // A line break may be cut in two: a line feed after a carriage return belongs to it.
    if (this.#afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (text !== "") this.#afterReturn = text.endsWith("\r");
    const lines = (this.#line + text).split(/\r\n|\r|\n/);
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#take(line, events);
    const kept = this.#data.reduce((chars, part) => chars + part.length, this.#line.length);
    return kept > FRAME_CHARS_MAX ? undefined : events;
  }

  #take(line: string, events: string[]): void {
    if (line === "") {
      if (this.#data.length > 0) events.push(this.#data.join("\n"));
      this.#data = [];
    } else if (line.startsWith("data:")) {
      this.#data.push(line.slice(line[5] === " " ? 6 : 5));
    }
  }
}

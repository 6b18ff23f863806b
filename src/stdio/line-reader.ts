/**
 * The reading loop of a pipe: bytes to lines, each taken only when there is room for what it causes.
 *
 * This file owns the loop and what is said about lines that cannot be read. It must never look into one.
 */

import { BODY_BYTES_MAX } from "../limits.ts";
import { type BugLog, describeBug } from "../mcp/dispatch.ts";
import { errorText, LINE_NOT_TEXT, LINE_TOO_LONG } from "../mcp/errors.ts";
import { LineDecoder } from "../mcp/ndjson.ts";

/** Whoever the lines are for. */
export interface LineTaker {
  /** Resolves when there is room for the answer to one more line; false ends the reading. */
  isReady(): Promise<boolean>;
  /** A line, as text. */
  take(text: string): void;
  /** Writes the answer to a line that is none. */
  answer(json: string): void;
}

/** Reads until the input ends or breaks, or the taker has enough. Never rejects. */
export async function readLines(input: AsyncIterable<Uint8Array>, taker: LineTaker, log: BugLog): Promise<void> {
  const decoder = new LineDecoder(BODY_BYTES_MAX);
  const takeAll = async (lines: ReturnType<LineDecoder["push"]>): Promise<boolean> => {
    for (const line of lines) {
      if (!(await taker.isReady())) return false;
      if (line.kind === "too long") taker.answer(errorText(undefined, LINE_TOO_LONG));
      else if (line.kind === "not text") taker.answer(errorText(undefined, LINE_NOT_TEXT));
      else taker.take(line.text);
    }
    return true;
  };
  try {
    for await (const piece of input) {
      if (!(await takeAll(decoder.push(piece)))) return;
    }
    await takeAll(decoder.end());
  } catch (problem) {
    // A pipe that breaks is the end of the input.
    log.error("the input broke off", describeBug(problem));
  }
}

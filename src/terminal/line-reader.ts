/**
 * Lines of an input, one at a time and only when asked for, so that a pipe waits for whom it speaks to.
 *
 * This file owns the cutting into lines. It must never hold more than a bounded line.
 */

import { INPUT_LINE_CHARS_MAX } from "../client-limits.ts";

/** The lines of a stream of bytes, without their ends; a last one without an end counts too. */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of input) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    // What no server would take need not be kept; the part that is left is refused like any long message.
    if (rest.length > INPUT_LINE_CHARS_MAX) rest = rest.slice(0, INPUT_LINE_CHARS_MAX);
    for (const line of lines) yield line.replace(/\r$/, "");
  }
  rest += decoder.decode();
  if (rest !== "") yield rest.replace(/\r$/, "");
}

/**
 * Messages as lines (stdio transport: UTF-8, one JSON text per line, no line break inside): bytes to
 * lines and a message to its line.
 *
 * This file owns the framing. It is total: any bytes give lines or faults, nothing is thrown while
 * reading, and no more than one line within its bound is ever kept.
 */

const LF = 10;
const CR = 13;

/** What one line turned out to be. */
export type Line =
  | { readonly kind: "text"; readonly text: string }
  /** Longer than the bound; its bytes were passed over. */
  | { readonly kind: "too long" }
  /** Not UTF-8. */
  | { readonly kind: "not text" };

/** The line of a message. @throws RangeError if the text carries a line break: JSON on one line never does */
export function encodeLine(json: string): string {
  if (json.includes("\n") || json.includes("\r")) throw new RangeError("a line break in a serialised message");
  return `${json}\n`;
}

/** Reads lines from bytes that arrive in pieces of any size. Blank lines are nothing. */
export class LineDecoder {
  readonly #bytesMax: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #tooLong = false;

  /** @param bytesMax longest line, without its end */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of the line that has not ended yet. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** Takes the next piece and gives the lines it completes. */
  push(bytes: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      this.#take(bytes.subarray(start, end));
      this.#complete(lines);
      start = end + 1;
    }
    this.#take(bytes.subarray(start));
    return lines;
  }

  /** The input has ended: what came after the last line break is a line too. */
  end(): Line[] {
    const lines: Line[] = [];
    this.#complete(lines);
    return lines;
  }

  #take(piece: Uint8Array): void {
    if (this.#tooLong || piece.length === 0) return;
    this.#bytes += piece.length;
    // One more for the CR that may belong to the end of the line.
    if (this.#bytes > this.#bytesMax + 1) {
      this.#tooLong = true;
      this.#drop();
    } else {
      // A copy: whoever reads may fill the same buffer anew.
      this.#pieces.push(piece.slice());
    }
  }

  #drop(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }

  #complete(lines: Line[]): void {
    const pieces = this.#pieces;
    let bytes = pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
    const tooLong = this.#tooLong;
    this.#tooLong = false;
    this.#drop();
    if (bytes.at(-1) === CR) bytes = bytes.subarray(0, -1);
    if (tooLong || bytes.length > this.#bytesMax) {
      lines.push({ kind: "too long" });
      return;
    }
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch (_notUtf8) {
      lines.push({ kind: "not text" });
      return;
    }
    if (text.trim() !== "") lines.push({ kind: "text", text });
  }
}

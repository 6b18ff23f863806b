/**
 * A terminal that knows just what the painter may send: it puts characters into cells and refuses
 * everything else.
 *
 * This file owns that small judge of escape sequences. It must never forgive one it does not know.
 */

import { clustersOf } from "../../src/terminal/safe-text.ts";

const ESCAPE = "\u001b";
const SEQUENCE = new RegExp(`${ESCAPE}\\[([?\\d;]*)([A-Za-z])`, "y");
/** What may be switched on and off. */
const MODES = new Set(["?25", "?2026", "?1049", "?7", "?1007", "?2004"]);

export class TinyTerminal {
  readonly columns: number;
  readonly #cells: string[][];
  cursor = { row: 0, column: 0 };
  isCursorShown = true;
  /** Colours and other renditions asked for. */
  renditions = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.#cells = Array.from({ length: rows }, () => []);
  }

  /** The rows as a person sees them, without spaces at their ends. */
  get lines(): string[] {
    return this.#cells.map((row) =>
      Array.from(row, (cell) => cell ?? " ")
        .join("")
        .trimEnd(),
    );
  }

  write(bytes: string): void {
    for (let at = 0; at < bytes.length; ) {
      SEQUENCE.lastIndex = at;
      const sequence = SEQUENCE.exec(bytes);
      if (sequence !== null) {
        this.#obey(sequence[1] ?? "", sequence[2] ?? "");
        at = SEQUENCE.lastIndex;
        continue;
      }
      const next = bytes.indexOf(ESCAPE, at + 1);
      const text = bytes.slice(at, next === -1 ? undefined : next);
      if (/\p{Cc}/u.test(text)) throw new Error(`a control in ${JSON.stringify(text)}`);
      this.#print(text);
      at += text.length;
    }
  }

  #print(text: string): void {
    for (const { text: cluster, width } of clustersOf(text.replace(/[\u2068\u2069]/g, ""))) {
      const row = this.#cells[this.cursor.row];
      if (row === undefined || this.cursor.column + width > this.columns)
        throw new Error(`${cluster} is off the screen`);
      row[this.cursor.column] = cluster;
      for (let n = 1; n < width; n += 1) row[this.cursor.column + n] = "";
      this.cursor.column += width;
    }
  }

  #obey(parameters: string, final: string): void {
    const [first = "1", second = "1"] = parameters.split(";");
    if (final === "H") this.cursor = { row: Number(first) - 1, column: Number(second) - 1 };
    else if (final === "G") this.cursor.column = Number(first) - 1;
    else if (final === "K" && parameters === "2") this.#cells[this.cursor.row] = [];
    else if (final === "J" && parameters === "2") for (const row of this.#cells) row.length = 0;
    else if (final === "m") this.renditions += 1;
    else if (/[hl]/.test(final) && MODES.has(parameters)) {
      if (parameters === "?25") this.isCursorShown = final === "h";
    } else throw new Error(`no such sequence: ${parameters}${final}`);
  }
}

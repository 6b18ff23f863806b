/**
 * A frame as bytes for a terminal: only rows that have changed are written, and the cursor is put where it
 * belongs after every character whose width terminals disagree about.
 *
 * This file owns the escape sequences of the output. Text reaches it without control characters, and it
 * must never let one through.
 */

import type { Frame, Row, Style } from "./frame.ts";
import { clustersOf } from "./safe-text.ts";

const ESC = "\x1b";
const CSI = `${ESC}[`;

/** Alternate screen, no automatic wrap, no arrow keys from the wheel, pastes marked as such. */
export const ENTER_SCREEN = `${CSI}?1049h${CSI}?7l${CSI}?1007l${CSI}?2004h${CSI}2J`;
/** Everything back as it was; harmless when done twice. */
export const LEAVE_SCREEN = `${CSI}?2004l${CSI}?1007h${CSI}?7h${CSI}?25h${CSI}0m${CSI}?1049l`;

const HIDE_CURSOR = `${CSI}?25l`;
const SHOW_CURSOR = `${CSI}?25h`;
/** Terminals that know it show the frame at once; others ignore it. */
const BEGIN_UPDATE = `${CSI}?2026h`;
const END_UPDATE = `${CSI}?2026l`;
const RESET = `${CSI}0m`;

const COLOURS: Readonly<Record<Style, string>> = {
  plain: "",
  faint: `${CSI}2m`,
  system: `${CSI}33m`,
  problem: `${CSI}31m`,
  stranger: `${CSI}1;36m`,
  own: `${CSI}32m`,
  status: `${CSI}2m`,
};

/** Isolates take no column; everything else that is printed is measured. */
const ISOLATE = /^[\u2068\u2069]$/;
const PLAIN = /^[ -~]$/;
const ACTING = /\p{Cc}/gu;

export class Painter {
  readonly #hasColours: boolean;
  #shown: string[] = [];
  #cursor = "";

  constructor(hasColours: boolean) {
    this.#hasColours = hasColours;
  }

  /** The next frame will be written in full, as after a resize or when something else wrote to the screen. */
  forget(): void {
    this.#shown = [];
  }

  /** What to write so that the terminal shows this frame. */
  paint(frame: Frame): string {
    const isWhole = this.#shown.length !== frame.rows.length;
    const next = frame.rows.map((row) => this.#rowText(row));
    const changed = next.flatMap((text, at) =>
      !isWhole && text === this.#shown[at] ? [] : [`${CSI}${at + 1};1H${CSI}2K${text}`],
    );
    this.#shown = next;
    const cursor = `${CSI}${frame.cursor.row + 1};${frame.cursor.column + 1}H`;
    const hasMoved = cursor !== this.#cursor;
    this.#cursor = cursor;
    if (changed.length === 0) return hasMoved ? cursor : "";
    const clear = isWhole ? `${CSI}2J` : "";
    return [BEGIN_UPDATE, HIDE_CURSOR, clear, ...changed, cursor, SHOW_CURSOR, END_UPDATE].join("");
  }

  #rowText(row: Row): string {
    let column = 1;
    let text = "";
    for (const span of row) {
      const colour = this.#hasColours ? COLOURS[span.style] : "";
      text += colour;
      for (const cluster of pieces(span.text)) {
        text += cluster.text;
        if (cluster.width === 0) continue;
        column += cluster.width;
        if (!PLAIN.test(cluster.text)) text += `${CSI}${column}G`;
      }
      if (colour !== "") text += RESET;
    }
    return text;
  }
}

/** The characters of a span; isolates stand for themselves. */
function pieces(text: string): { readonly text: string; readonly width: number }[] {
  return text
    .replace(ACTING, "")
    .split(/([\u2068\u2069])/)
    .flatMap((part) => (ISOLATE.test(part) ? [{ text: part, width: 0 }] : clustersOf(part)));
}

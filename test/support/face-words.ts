/**
 * What is said in chats between faces: plain words, words of many scripts, and words that would like to be more.
 *
 * This file owns what of them must arrive. It must never ask the product how it cleans a text.
 */

import type { Face } from "./face.ts";

const ESCAPE = "\u001b";
const BELL = "\u0007";

/** What is entered, and what of it is heard. */
export interface Word {
  readonly said: string;
  readonly heard: string;
}

const FAMILY = "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}";
/** No skin tones: tmux 3.3 shows a hand without its own. */
const EXOTIC = `${FAMILY} \u{1f44b} \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 q\u0303 \u65e5\u672c\u8a9e`;
const MARKUP = `<img src=x onerror="document.title='owned'"><b>bold</b>`;
/** Clears a screen and sets its title, or leaves the rest of these where there is no such key. */
const SEQUENCES = { said: `${ESCAPE}[2J${ESCAPE}]0;owned${BELL}`, withoutControls: "[2J]0;owned" };
const FORGED = "12:30 * Your partner has left.";

/** Three messages of somebody's, as they can enter them. */
export function wordsOf({ name, unenterable }: Pick<Face, "name" | "unenterable">): Word[] {
  const instead = new Map(unenterable);
  const lineBreak = instead.get("\n") ?? "\n";
  const isKeyboard = instead.has(ESCAPE);
  return [
    same(`${name} here: is 1 < 2 & "2" > 1?`),
    same(EXOTIC),
    {
      said: `look:${SEQUENCES.said}${MARKUP}${lineBreak}${FORGED}`,
      heard: `look:${isKeyboard ? SEQUENCES.withoutControls : ""}${MARKUP}${lineBreak}${FORGED}`,
    },
  ];
}

function same(text: string): Word {
  return { said: text, heard: text };
}

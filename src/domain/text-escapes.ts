/**
 * Terminal control sequences, removed as a whole: taking only the escape byte would leave `[31m` or
 * the address of a hidden link among the words.
 *
 * This file owns the grammar of ECMA-48 as far as it is needed to know where a sequence ends. It
 * must never interpret one, and must read every character a bounded number of times.
 */

const ESC = "\\u001B";
const BEL = "\\u0007";

/** ST, in its seven-bit and its eight-bit form. */
const STRING_TERMINATOR = String.raw`(?:${ESC}\\|\u009C)`;

/**
 * What a control string may hold. It ends where another sequence begins or where it is cancelled,
 * so no two attempts to find a terminator read the same characters.
 */
const notInString = String.raw`${ESC}\u0018\u001A\u0080-\u009F`;

const SEQUENCE = [
  // CSI: parameters, intermediates, a final character. A sequence cut short loses what was read of it.
  String.raw`(?:${ESC}\[|\u009B)[0-?]*[ -\/]*[@-~]?`,
  // OSC: window titles, links, the clipboard. Ends at BEL or ST.
  String.raw`(?:${ESC}\]|\u009D)[^${BEL}${notInString}]*(?:${BEL}|${STRING_TERMINATOR})`,
  // DCS, SOS, PM, APC: end at ST only.
  String.raw`(?:${ESC}[PX^_]|[\u0090\u0098\u009E\u009F])[^${notInString}]*${STRING_TERMINATOR}`,
  // Everything else that begins with ESC. A control string that nothing terminates loses only its
  // introducer here: it is inert without, and badly decoded text often holds U+009D or U+009F, which
  // must not silence the rest of a message.
  String.raw`${ESC}[ -\/]*[0-~]?`,
].join("|");

const EACH_SEQUENCE = new RegExp(SEQUENCE, "g");

/** Removes every terminal control sequence. Eight-bit controls that introduce none stay in the text. */
export function removeEscapes(text: string): string {
  return text.replace(EACH_SEQUENCE, "");
}

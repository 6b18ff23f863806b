/**
 * The text of every message of the benchmark: it names its sender, its place in the sender's order
 * and when it was written, in fixed places, so that writing and reading one needs no allocation. The numbers are
 * spelled in letters, a for 0 to j for 9: a server may look closer at digits and signs than at plain words.
 *
 * This file owns that text. It must never know how it travels: a receiver finds it in any envelope.
 */

/** Bytes of every message: a short line of chat. */
export const MESSAGE_BYTES = 64;

const MARK = "hark ";
const SENDER_DIGITS = 6;
const SEQ_DIGITS = 8;
const TIME_DIGITS = 11;

const SENDER_AT = MARK.length;
const SEQ_AT = SENDER_AT + SENDER_DIGITS + 1;
const TIME_AT = SEQ_AT + SEQ_DIGITS + 1;
const END_AT = TIME_AT + TIME_DIGITS + 1;

/** What a receiver looks for. */
export const MESSAGE_MARK = Buffer.from(MARK);

const zeros = (digits: number): string => "a".repeat(digits);

/** A message with zeros where `writeMessage` puts its numbers. */
export const BLANK_MESSAGE =
  `${MARK}${zeros(SENDER_DIGITS)} ${zeros(SEQ_DIGITS)} ${zeros(TIME_DIGITS)} do you like rain and long walks?`.slice(
    0,
    MESSAGE_BYTES,
  );

/** Zero as a digit, and as a letter. */
const DIGIT_ZERO = 48;
const LETTER_ZERO = 97;

/** Writes a whole number in so many decimal digits. */
export function writeDigits(bytes: Uint8Array, at: number, digits: number, value: number, zero = DIGIT_ZERO): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    bytes[i] = zero + rest - next * 10;
    rest = next;
  }
}

/** The number in letters, or -1 if something else stands there. */
function readLetters(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = (bytes[i] ?? 0) - LETTER_ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/**
 * Fills in the numbers of a blank message.
 * @param at where the message begins in `bytes`
 * @param writtenUs microseconds since the run began
 */
export function writeMessage(bytes: Uint8Array, at: number, sender: number, seq: number, writtenUs: number): void {
  writeDigits(bytes, at + SENDER_AT, SENDER_DIGITS, sender, LETTER_ZERO);
  writeDigits(bytes, at + SEQ_AT, SEQ_DIGITS, seq, LETTER_ZERO);
  writeDigits(bytes, at + TIME_AT, TIME_DIGITS, writtenUs, LETTER_ZERO);
}

/** Whoever hears messages. `sender` is -1 when what stands there is no message of the benchmark. */
export type Hear = (sender: number, seq: number, writtenUs: number) => void;

/** Tells of every message between two places, in order. */
export function readMessages(bytes: Buffer, from: number, to: number, hear: Hear): void {
  for (let at = bytes.indexOf(MESSAGE_MARK, from); at !== -1 && at < to; at = bytes.indexOf(MESSAGE_MARK, at)) {
    const sender = readLetters(bytes, at + SENDER_AT, SENDER_DIGITS);
    const seq = readLetters(bytes, at + SEQ_AT, SEQ_DIGITS);
    const writtenUs = readLetters(bytes, at + TIME_AT, TIME_DIGITS);
    hear(Math.min(sender, seq, writtenUs) < 0 ? -1 : sender, seq, writtenUs);
    at += END_AT;
  }
}

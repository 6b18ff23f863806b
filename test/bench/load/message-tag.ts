/**
 * The text of every message of the benchmark: it names its sender, its place in the sender's order
 * and when it was written, in fixed places, so that writing and reading one needs no allocation.
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

const zeros = (digits: number): string => "0".repeat(digits);

/** A message with zeros where `writeMessage` puts its numbers. */
export const BLANK_MESSAGE =
  `${MARK}${zeros(SENDER_DIGITS)} ${zeros(SEQ_DIGITS)} ${zeros(TIME_DIGITS)} do you like rain and long walks?`.slice(
    0,
    MESSAGE_BYTES,
  );

const DIGIT_ZERO = 48;

/** Writes a whole number in so many decimal digits. */
export function writeDigits(bytes: Uint8Array, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = Math.floor(rest / 10);
    bytes[i] = DIGIT_ZERO + rest - next * 10;
    rest = next;
  }
}

/** The number that stands there, or -1 if something else stands there. */
function readDigits(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = (bytes[i] ?? 0) - DIGIT_ZERO;
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
  writeDigits(bytes, at + SENDER_AT, SENDER_DIGITS, sender);
  writeDigits(bytes, at + SEQ_AT, SEQ_DIGITS, seq);
  writeDigits(bytes, at + TIME_AT, TIME_DIGITS, writtenUs);
}

/** Whoever hears messages. `sender` is -1 when what stands there is no message of the benchmark. */
export type Hear = (sender: number, seq: number, writtenUs: number) => void;

/** Tells of every message between two places, in order. */
export function readMessages(bytes: Buffer, from: number, to: number, hear: Hear): void {
  for (let at = bytes.indexOf(MESSAGE_MARK, from); at !== -1 && at < to; at = bytes.indexOf(MESSAGE_MARK, at)) {
    const sender = readDigits(bytes, at + SENDER_AT, SENDER_DIGITS);
    const seq = readDigits(bytes, at + SEQ_AT, SEQ_DIGITS);
    const writtenUs = readDigits(bytes, at + TIME_AT, TIME_DIGITS);
    hear(Math.min(sender, seq, writtenUs) < 0 ? -1 : sender, seq, writtenUs);
    at += END_AT;
  }
}

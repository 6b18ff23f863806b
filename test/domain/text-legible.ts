/**
 * A second opinion on what may stand in a clean text, written from code point tables instead of the
 * Unicode properties the boundary uses, so that one mistake is not made twice.
 *
 * This file owns the check only. It must never import from src.
 */

type Range = readonly [first: number, last: number, what: string];

const NEVER: readonly Range[] = [
  [0x00, 0x08, "C0 control"],
  [0x0b, 0x1f, "C0 control"],
  [0x7f, 0x9f, "DEL or C1 control"],
  [0xad, 0xad, "soft hyphen"],
  [0x034f, 0x034f, "grapheme joiner"],
  [0x061c, 0x061c, "Arabic letter mark"],
  [0x115f, 0x1160, "Hangul filler"],
  [0x17b4, 0x17b5, "Khmer inherent vowel"],
  [0x180e, 0x180e, "Mongolian vowel separator"],
  [0x200b, 0x200b, "zero-width space"],
  [0x200e, 0x200f, "directional mark"],
  [0x2028, 0x202e, "line separator or bidi embedding"],
  [0x2060, 0x206f, "invisible operator or bidi isolate"],
  [0x3164, 0x3164, "Hangul filler"],
  [0xd800, 0xdfff, "lone surrogate"],
  [0xe000, 0xf8ff, "private use"],
  [0xfdd0, 0xfdef, "noncharacter"],
  [0xfeff, 0xfeff, "byte order mark"],
  [0xffa0, 0xffa0, "half-width Hangul filler"],
  [0xfff0, 0xfffc, "annotation or object replacement"],
  [0xfffe, 0xffff, "noncharacter"],
  [0x13430, 0x1343f, "hieroglyph format control"],
  [0x1bca0, 0x1bca3, "shorthand format control"],
  [0x1d173, 0x1d17a, "musical format control"],
  [0xe0000, 0xe001f, "tag"],
  [0xe0080, 0xe00ff, "unassigned and ignorable"],
  [0xe01f0, 0xe0fff, "unassigned and ignorable"],
  [0xf0000, 0x10ffff, "private use or noncharacter"],
];

const FLAGS = ["gbeng", "gbsct", "gbwls"].map(
  (region) =>
    `\u{1F3F4}${[...region].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join("")}\u{E007F}`,
);

const between = (point: number, first: number, last: number) => point >= first && point <= last;
const isSelector = (point: number) =>
  between(point, 0xfe00, 0xfe0f) ||
  between(point, 0xe0100, 0xe01ef) ||
  (point !== 0x180e && between(point, 0x180b, 0x180f));
const isJoiner = (point: number) => point === 0x200c || point === 0x200d;
const isMark = (point: number) => !isSelector(point) && /\p{M}/u.test(String.fromCodePoint(point));
/** Hebrew excepted, the scripts from Arabic to Myanmar, Khmer and Mongolian, their extensions, and those far above. */
const isJoiningScript = (point: number) =>
  between(point, 0x0600, 0x109f) ||
  between(point, 0x1700, 0x18af) ||
  between(point, 0x1a20, 0x1cff) ||
  between(point, 0xa800, 0xabff) ||
  between(point, 0xfb50, 0xfdff) ||
  between(point, 0xfe70, 0xfefc) ||
  between(point, 0x10800, 0x11fff) ||
  between(point, 0x16100, 0x1613f) ||
  between(point, 0x1e900, 0x1eeff);
const isEmoji = (point: number) =>
  /\p{Emoji}/u.test(String.fromCodePoint(point)) || between(point, 0x1f000, 0x1faff) || between(point, 0x2190, 0x2bff);
const isIdeograph = (point: number) =>
  between(point, 0x3400, 0x9fff) || between(point, 0xf900, 0xfaff) || between(point, 0x20000, 0x3ffff);

/** Everything in the text that should not be there, in words; empty for a clean text. */
export function faultsOf(text: string): string[] {
  const faults: string[] = [];
  if (text.normalize("NFC") !== text) faults.push("not in NFC");

  let rest = text;
  for (const flag of FLAGS) rest = rest.replaceAll(flag, "\u{1F3F3}");
  const points = [...rest].map((point) => point.codePointAt(0) ?? 0);

  let marks = 0;
  points.forEach((point, index) => {
    const before = points[index - 1] ?? 0x20;
    const after = points[index + 1] ?? 0x20;
    const named = `U+${point.toString(16).toUpperCase()} at ${index}`;
    for (const [first, last, what] of NEVER) if (between(point, first, last)) faults.push(`${what} ${named}`);
    if ((point & 0xfffe) === 0xfffe) faults.push(`noncharacter ${named}`);
    if (between(point, 0xe0020, 0xe007f)) faults.push(`tag outside a flag ${named}`);

    if (isMark(point)) marks++;
    else if (!isJoiner(point) && !isSelector(point)) marks = 0;
    if (marks > 8) faults.push(`ninth mark in a row ${named}`);

    if (isSelector(point) && !mayVary(before, point)) faults.push(`selector after U+${before.toString(16)} ${named}`);
    if (isJoiner(point) && !mayJoin(before, after, marks > 0)) faults.push(`joiner out of place ${named}`);
  });
  return faults;
}

function mayVary(before: number, selector: number): boolean {
  if (isSelector(before) || isJoiner(before) || isMark(before)) return false;
  if (selector === 0xfe0e || selector === 0xfe0f)
    return isEmoji(before) || between(before, 0xa9, 0xae) || before > 0x2000;
  if (selector >= 0xe0100) return isIdeograph(before);
  if (selector < 0xfe00) return between(before, 0x1820, 0x18aa) || between(before, 0x11660, 0x1166c);
  return before > 0x7f || "+<=>|~".includes(String.fromCodePoint(before));
}

function mayJoin(before: number, after: number, afterMarks: boolean): boolean {
  if (isJoiner(before) || isJoiner(after)) return false;
  return isJoiningScript(before) || isEmojiJoint(before, after) || (afterMarks && isMark(before));
}

function isEmojiJoint(before: number, after: number): boolean {
  return (before === 0xfe0f || isEmoji(before)) && isEmoji(after);
}

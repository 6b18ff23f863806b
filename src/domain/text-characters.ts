/**
 * Which characters a stranger may never send, and which only in certain company. Classes are made
 * of Unicode properties where the language has them, and of listed code points where it has not.
 *
 * This file owns the classes and decides nothing about a text. It must never name a class by what
 * an attacker does with it: a class says what its characters are.
 */

/** Puts words together with a zero-width joiner or keeps them apart with a non-joiner. */
const JOINERS = String.raw`\u200C\u200D`;
/** Variation selectors 1-16 and 17-256, then the Mongolian ones: each picks a glyph for the character before it. */
const SELECTORS = String.raw`\uFE00-\uFE0F\u{E0100}-\u{E01EF}\u180B-\u180D\u180F`;
/** Spells the region of a flag after a black flag. */
const TAGS = String.raw`\u{E0020}-\u{E007F}`;
/** Formats by name that have a visible glyph: number signs, end of ayah and the like of Arabic, Syriac and Kaithi. */
const VISIBLE_FORMATS = String.raw`\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}`;

const MARKS = String.raw`[\p{M}--[${SELECTORS}]]`;
const DEPENDENT = `[${MARKS}[${JOINERS}${SELECTORS}${TAGS}]]`;

/**
 * Never part of a text, wherever it stands:
 * - controls but line feed and tab; halves of surrogate pairs; noncharacters;
 * - everything Unicode says to ignore when it cannot be shown (soft hyphen, zero-width space, word
 *   joiner, fillers, invisible operators), and every format character without a glyph. That takes
 *   the bidirectional marks too, U+200E, U+200F and U+061C: they are harmless alone, but invisible,
 *   and a right-to-left text reads the same without them but for punctuation at its edges;
 * - the placeholder for an attached object, since nothing is attached;
 * - private-use characters: two strangers have no private agreement, and fonts that have glyphs
 *   there draw window borders and logos with them.
 * Unassigned characters stay: next year's emoji are among them.
 */
const FORBIDDEN = String.raw`[[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\uFFFC]--[\n\t${JOINERS}${SELECTORS}${TAGS}${VISIBLE_FORMATS}]]`;

/** The characters of most messages; nothing in them is forbidden or depends on another. */
export const PRINTABLE_ASCII = /^[\t\n -~]*$/;

/** Any character that is forbidden, for removal. */
export const EACH_FORBIDDEN = new RegExp(FORBIDDEN, "gv");

/** Everything that depends on the character before it, for removal. */
export const EACH_RUN_OF_DEPENDENTS = new RegExp(`${DEPENDENT}+`, "gv");

/** Finds out whether a text needs more than normalising: most do not. */
export const NEEDS_CLEANING = new RegExp(String.raw`[${FORBIDDEN}${DEPENDENT}\u2028\u2029]`, "v");

/** Combining marks in direct succession, more than may stand on one character. */
export const longRunsOfMarks = (most: number): RegExp => new RegExp(`(${MARKS}{${most}})${MARKS}+`, "gv");

/** One character, if there is one, and everything after it that depends on it. */
export const EACH_CLUSTER = new RegExp(`([^${DEPENDENT}]?)(${DEPENDENT}+)`, "gv");

/** A combining mark; variation selectors are not counted as such here. */
export const MARK = new RegExp(`^${MARKS}$`, "v");
export const ONLY_MARKS = new RegExp(`^${MARKS}+$`, "v");
export type DependentKind = "mark" | "joiner" | "selector" | "tag";

/** Which kind of dependent character one is that is known to be one, from its number. */
export function dependentKind(code: number): DependentKind {
  if (code === 0x200c || code === 0x200d) return "joiner";
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef)) return "selector";
  if ((code >= 0x180b && code <= 0x180d) || code === 0x180f) return "selector";
  return code >= 0xe0020 && code <= 0xe007f ? "tag" : "mark";
}

/** Depends on the character before it: cannot open a line, and is invisible alone. */
export const LEADING_DEPENDENTS = new RegExp(`^[${DEPENDENT} ]+`, "v");
/** Leading number signs that are not part of a keycap, with the spaces after them and what depends on those. */
export const LEADING_NUMBER_SIGNS = new RegExp(`^(?:#(?!${DEPENDENT})(?: [${DEPENDENT} ]*)?)+`, "v");

/** Something to see that is more than an accent: without it a text is empty. The blank Braille pattern is a space with another name. */
export const VISIBLE = new RegExp(String.raw`[^\p{White_Space}\u2800${DEPENDENT}]`, "v");
/** A letter, a digit, an emoji or another sign with a meaning; box-drawing and block elements only draw. */
export const NAMING =
  /[\p{L}\p{N}\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u20E3[\p{So}--[\u2500-\u259F\u2800]]]/v;

export const ZERO_WIDTH_JOINER = 0x200d;
export const KEYCAP = 0x20e3;
export const BLACK_FLAG = "\u{1F3F4}";

/** The flags spelled with tags that are recommended for general interchange: England, Scotland, Wales. */
export const FLAG_REGIONS: readonly string[] = ["gbeng", "gbsct", "gbwls"].map(
  (region) => `${[...region].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join("")}\u{E007F}`,
);

export const PICTOGRAPH = /^\p{Extended_Pictographic}$/u;
/** What a zero-width joiner may follow in an emoji sequence, directly or after U+FE0F. */
export const PICTOGRAPH_OR_SKIN_TONE = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}]$/v;
/** Asks for the text or the emoji form of the character before it. */
export const EMOJI_SELECTOR = /^[\uFE0E\uFE0F]$/;
/** The one of the two that emoji sequences are spelled with. */
export const EMOJI_PRESENTATION = "\uFE0F";

/**
 * Letters and digits of scripts whose writing needs joiners: cursive ones, where a non-joiner
 * separates the parts of a word, and Brahmic ones, where either chooses between half form and virama.
 */
export const JOINING =
  /^[[\p{L}\p{Nd}]&&[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mand}\p{scx=Nkoo}\p{scx=Mong}\p{scx=Phag}\p{scx=Adlm}\p{scx=Mani}\p{scx=Rohg}\p{scx=Deva}\p{scx=Beng}\p{scx=Guru}\p{scx=Gujr}\p{scx=Orya}\p{scx=Taml}\p{scx=Telu}\p{scx=Knda}\p{scx=Mlym}\p{scx=Sinh}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}\p{scx=Bali}\p{scx=Java}\p{scx=Cham}\p{scx=Lana}]]$/v;

/** Letters that take a joining form at the end of a word, where an abbreviation shows it with a joiner. */
export const CURSIVE = /^[\p{L}&&[\p{scx=Arab}\p{scx=Syrc}\p{scx=Mong}\p{scx=Nkoo}]]$/v;

/** Canonical combining class 9, for which regular expressions have no property: kills a vowel, and joins consonants. */
export const VIRAMA =
  /^[\u094D\u09CD\u0A4D\u0ACD\u0B4D\u0BCD\u0C4D\u0CCD\u0D3B\u0D3C\u0D4D\u0DCA\u0E3A\u0EBA\u0F84\u1039\u103A\u1714\u1715\u1734\u17D2\u1A60\u1B44\u1BAA\u1BAB\u1BF2\u1BF3\u2D7F\uA806\uA82C\uA8C4\uA953\uA9C0\uAAF6\uABED\u{10A3F}\u{11046}\u{11070}\u{1107F}\u{110B9}\u{11133}\u{11134}\u{111C0}\u{11235}\u{112EA}\u{1134D}\u{113CE}-\u{113D0}\u{11442}\u{114C2}\u{115BF}\u{1163F}\u{116B6}\u{1172B}\u{11839}\u{1193D}\u{1193E}\u{119E0}\u{11A34}\u{11A47}\u{11A99}\u{11C3F}\u{11D44}\u{11D45}\u{11D97}\u{11F41}\u{11F42}\u{1612F}]$/v;

/**
 * Which selectors a character can have, each row a kind of variation that is registered and in use.
 * Rarer ones (slashed zero, hieroglyphs turned) lose their selector and stay readable.
 */
export const VARIATIONS: readonly { readonly base: RegExp; readonly selector: RegExp }[] = [
  { base: PICTOGRAPH, selector: EMOJI_SELECTOR },
  { base: /^\p{Unified_Ideograph}$/u, selector: /^[\uFE00-\uFE02\u{E0100}-\u{E01EF}]$/u },
  {
    base: /^[\u3001\u3002\uFF01\uFF0C\uFF0E\uFF1A\uFF1B\uFF1F\u2018\u2019\u201C\u201D]$/,
    selector: /^[\uFE00\uFE01]$/,
  },
  { base: /^[\p{Sm}[\p{L}&&[\p{sc=Mymr}\p{sc=Phag}\p{sc=Mani}]]]$/v, selector: /^\uFE00$/ },
  { base: /^[\p{L}&&\p{sc=Mong}]$/v, selector: /^[\u180B-\u180D\u180F]$/ },
];
/** Digits and signs that a keycap encloses. */
export const KEYCAP_BASE = /^[0-9#*]$/;

/**
 * What one character is to the word list: the letters it stands for, plainly and in disguise.
 *
 * This file owns what counts as the same letter. It must never know a text or a word.
 */
import { FOLDED_CHARS_MAX } from "../limits.ts";

/** Alphabets whose letters can pass for Latin ones. */
export const ALPHABETS = ["Cyrillic", "Greek", "Armenian"] as const;

/** What there is to know of a character. */
export interface CharInfo {
  /** Its plainest form, as code points: compatibility forms, case and accents folded. Empty if it is no letter or digit. */
  readonly letters: readonly number[];
  /** Whether it only varies the character before it. */
  readonly isAccent: boolean;
  readonly isLatin: boolean;
  readonly isDigit: boolean;
  /** Whether words of its script are written without gaps, so that they begin and end anywhere. */
  readonly isUnspaced: boolean;
  /** Which of `ALPHABETS` it is of. */
  readonly alphabet: (typeof ALPHABETS)[number] | undefined;
  /** The letter it may be meant for by its look; `EITHER` for an i or an l. */
  readonly alike: number | undefined;
  /** A sign that may be meant for a letter: `beside` one, or only `between` two, where no sentence ends. */
  readonly sign: "beside" | "between" | undefined;
}

/** Looks like an i and like an l. */
export const EITHER = 0x31;

/** Marks that only vary a letter; those of Indic scripts and of kana make another one. */
const EACH_ACCENT = /(?![\u3099\u309A])[\p{Script=Inherited}\u0591-\u05C7]/gu;
const WORD = /^[\p{L}\p{N}\p{M}]+$/u;
const DIGIT = /^\p{N}/u;
const LATIN = /\p{Script=Latin}/u;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const OF_ALPHABET = ALPHABETS.map((name) => [name, new RegExp(`\\p{Script=${name}}`, "u")] as const);

/** White letters on black discs and squares, which have no compatibility form. */
const DARK_LETTERS: readonly number[] = [0x1f150, 0x1f170];

/** Letters of the Latin script that are no accented form of another by name but by look. */
const PLAIN_LATIN = pairs(
  "øo łl đd ħh ŧt ðd ɑa ɡg ɩi ıi æae œoe ʙb ᴀa ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz",
);

/** Letters of other alphabets by the Latin ones they look like; capitals where those look like another. */
const LOOK_ALIKES = pairs(
  "аa вb еe зz іi јj кk мm нh оo рp сc ѕs тt уy хx ԁd ԛq ԝw һh ӏl ҽe " +
    "αa βb γy εe ηn ιi κk νv οo ρp τt υu χx ωw ϲc ϳj ΗH ΝN ΥY ΜM ΖZ " +
    "օo սu հh ոn ցg",
);

/** Digits and signs by the letters they are written for. */
const SIGNS = pairs("0o 11 3e 4a 5s 7t 8b 9g @a $s €e !1 |1");
const BETWEEN_LETTERS = ["!", "|"];

function pairs(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(" ").map((pair) => [pair.slice(0, 1), pair.slice(1).toLowerCase()]));
}

const known = new Map<number, CharInfo>();
const ascii: CharInfo[] = [];

/** What there is to know of a code point. */
export function infoOf(code: number): CharInfo {
  if (code < 0x80) {
    ascii[code] ??= describe(code);
    return ascii[code];
  }
  const found = known.get(code);
  if (found !== undefined) return found;
  // Clearing all is crude, and rare: no honest text mixes so many characters.
  if (known.size >= FOLDED_CHARS_MAX) known.clear();
  const info = describe(code);
  known.set(code, info);
  return info;
}

function describe(code: number): CharInfo {
  // The bulk of all characters: they have no other form, and a text of them all must not be slow.
  if (isIdeograph(code)) return { ...NO_LETTER, letters: [code], isUnspaced: true };
  const char = String.fromCodePoint(code);
  const folded = foldChar(code, char);
  const alike = LOOK_ALIKES.get(char) ?? LOOK_ALIKES.get(folded) ?? SIGNS.get(folded === "" ? char : folded);
  const isSign = folded === "" && alike !== undefined;
  return {
    letters: Array.from(folded, (letter) => letter.codePointAt(0) ?? 0),
    isAccent: code >= 0x300 && char.replace(EACH_ACCENT, "") === "",
    isLatin: LATIN.test(folded),
    isDigit: DIGIT.test(folded),
    isUnspaced: UNSPACED.test(folded),
    alphabet: OF_ALPHABET.find(([, script]) => script.test(folded))?.[0],
    alike: alike?.codePointAt(0),
    sign: isSign ? (BETWEEN_LETTERS.includes(char) ? "between" : "beside") : undefined,
  };
}

const NO_LETTER: CharInfo = {
  letters: [],
  isAccent: false,
  isLatin: false,
  isDigit: false,
  isUnspaced: false,
  alphabet: undefined,
  alike: undefined,
  sign: undefined,
};

function isIdeograph(code: number): boolean {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) || isRareIdeograph(code);
}

/** The planes of ideographs but for their compatibility forms. */
function isRareIdeograph(code: number): boolean {
  return code >= 0x2_0000 && code <= 0x3_ffff && !(code >= 0x2_f800 && code <= 0x2_fa1f);
}

function foldChar(code: number, char: string): string {
  const dark = DARK_LETTERS.find((first) => code >= first && code < first + 26);
  if (dark !== undefined) return String.fromCharCode(0x61 + code - dark);
  // Lower case by way of upper case, which is where ß meets ss and ς meets σ.
  const lower = withoutAccents(withoutAccents(char).toUpperCase().toLowerCase());
  const plain = Array.from(lower, (letter) => PLAIN_LATIN.get(letter) ?? letter).join("");
  return WORD.test(plain) ? plain : "";
}

function withoutAccents(text: string): string {
  return text.normalize("NFKD").replace(EACH_ACCENT, "").normalize("NFC");
}

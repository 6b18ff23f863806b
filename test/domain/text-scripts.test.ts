import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cleanMessage, cleanName } from "../../src/domain/text.ts";
import { VIRAMA } from "../../src/domain/text-characters.ts";
import { faultsOf } from "./text-legible.ts";

/** Text as people write it. All of it must come through untouched. */
const WRITING: readonly (readonly [string, string])[] = [
  ["English with typography", "“It’s fine”, she said – naïvely… café, 5 €"],
  ["German", "Straße, Größe, ẞ"],
  ["Vietnamese", "Tiếng Việt: Nguyễn, đường phố"],
  ["Yoruba with two marks", "Ẹ kú àárọ̀, ọ̀rẹ́ mi"],
  ["Lithuanian accents that have no composed form", "i̇́ e̊ m̃"],
  ["Greek", "Καλημέρα, τί κάνεις; ᾧ"],
  ["Russian with stress", "за́мок, ёлка"],
  ["Hebrew", "שלום, מה שלומך?"],
  ["Hebrew with niqqud", "שָׁלוֹם עֲלֵיכֶם".normalize("NFC")],
  ["Hebrew with cantillation", "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים".normalize("NFC")],
  ["Arabic with vowels", "السَّلَامُ عَلَيْكُمْ".normalize("NFC")],
  ["Arabic end of ayah", "بسم الله ۝١"],
  ["Persian with non-joiners", "می‌خواهم کتاب‌ها را ببینم"],
  ["Persian non-joiner after a composed letter", "آ‌ن"],
  ["Persian non-joiner after a digit", "۲۰‌ساله"],
  ["Arabic abbreviation with a joiner", "ه‍ ۱۴۰۰"],
  ["Urdu", "آپ کیسے ہیں؟"],
  ["Syriac", "ܫܠܡܐ ܥܠܟܘܢ"],
  ["Hindi", "नमस्ते, आप कैसे हैं? क्ष त्र ज्ञ"],
  ["Hindi half form with joiner", "क्‍ष र्‍य"],
  ["Hindi visible virama with non-joiner", "क्‌ष"],
  ["Bengali with joiner before the virama", "র‍্যাব"],
  ["Tamil", "தமிழ் மொழி, கொ கோ"],
  ["Tamil with non-joiner", "க்‌ஷ"],
  ["Telugu and Kannada", "తెలుగు ಕನ್ನಡ ರ‍್ಯಾಂಕ್"],
  ["Malayalam chillu spelled with a joiner at the end", "അവന്‍"],
  ["Sinhala with joiner", "ශ්‍රී ලංකාව, කෝ"],
  ["Thai", "สวัสดีครับ น้ำ ที่นี่"],
  ["Lao", "ສະບາຍດີ ນ້ຳ"],
  ["Khmer", "សួស្តី ខ្ញុំ ប៉ុន្តែ"],
  ["Burmese", "မင်္ဂလာပါ ကျွန်ုပ်"],
  ["Tibetan", "བཀྲ་ཤིས་བདེ་ལེགས།"],
  ["the tallest Tibetan stack", "ཧྐྵྨླྺྼྻྂ".normalize("NFC")],
  ["Mongolian with variation selectors", "ᠮᠣᠩᠭᠣᠯ ᠳ᠋ᠤ"],
  ["Chinese", "你好，世界！葛城"],
  ["ideographic variation", "葛\u{E0100}城市と葛\u{E0101}飾区"],
  ["Japanese", "こんにちは、ガギグゲゴ。ﾊﾟﾝ"],
  ["Japanese marks that have no composed form", "か゚ セ゚"],
  ["Korean", "안녕하세요"],
  ["Korean in conjoining jamo that have no syllable", "ᄒᆞᆫ글"],
  ["Amharic, Georgian, Armenian, Cherokee", "ሰላም გამარჯობა Բարեւ ᏣᎳᎩ"],
  ["Adlam", "𞤀𞤣𞤤𞤢𞤥"],
  ["mathematics with a variation selector", "A ∩︀ B ≠ ∅, 𝒜 ⊆ ℝ"],
  ["both directions in one line", "I said שלום and left مع السلامة"],
  ["Braille", "⠓⠑⠇⠇⠕⠀⠺⠕⠗⠇⠙"],
  ["a table and a shrug", "┌─┐ │x│ ¯\\_(ツ)_/¯"],
  ["Gothic and hieroglyphs", "𐌲𐌿𐍄 𓀀𓂀"],
];

const EMOJI = [
  "😀 👍 🎉",
  "❤️ ❤︎ ☺️ ☀️ ©️ ™️ ‼️ ↔️",
  "👍🏽 🤷🏿‍♀️ 👩🏾‍🚀 🫱🏻‍🫲🏿",
  "👨‍👩‍👧‍👦 👩‍❤️‍💋‍👨 🧑🏽‍❤️‍🧑🏻",
  "🏳️‍🌈 🏳️‍⚧️ 🏴‍☠️",
  "🇩🇪 🇯🇵 🇧🇷",
  "🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏴󠁧󠁢󠁷󠁬󠁳󠁿",
  "1️⃣ #️⃣ *️⃣ 0⃣",
  "👁️‍🗨️ 🐦‍⬛ ❤️‍🔥 ⛓️‍💥 🏃🏽‍♀️‍➡️ 🙂‍↔️",
  "🀄️ ㊗️ 〰️ 🅰️",
];

describe("ordinary writing comes through unchanged", () => {
  test.each(WRITING)("%s", (_, text) => {
    expect(cleanMessage(text, 400)).toEqual({ ok: true, text });
    expect(faultsOf(text)).toEqual([]);
  });

  test.each(EMOJI)("%s", (text) => {
    expect(cleanMessage(text, 400)).toEqual({ ok: true, text });
    for (const emoji of text.split(" ")) expect(cleanName(emoji)).toEqual({ ok: true, text: emoji });
    expect(faultsOf(text)).toEqual([]);
  });

  test("words of all scripts and emoji side by side", () => {
    const words = [...WRITING.map(([, text]) => text), ...EMOJI].flatMap((text) => text.split(/ /));
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 }), (some) => {
        const text = some.join(" ");
        expect(cleanMessage(text, 4000)).toEqual({ ok: true, text });
      }),
    );
  });

  test("every emoji of one character, alone and with the emoji selector", () => {
    const changed: string[] = [];
    for (let point = 0x80; point < 0x20000; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const emoji = String.fromCodePoint(point);
      if (!/\p{Emoji}/u.test(emoji)) continue;
      const texts = /\p{Emoji_Presentation}/u.test(emoji) ? [emoji] : [emoji, `${emoji}\uFE0F`];
      for (const text of texts) {
        const cleaned = cleanName(text);
        if (!cleaned.ok || cleaned.text !== text) changed.push(text);
      }
    }
    expect(changed).toEqual([]);
  });
});

describe("decomposed writing is composed", () => {
  test.each([
    ["Vietnamese", "Tiếng Việt: Nguyễn"],
    ["Korean", "한국어 안녕"],
    ["Japanese", "ガギグパ"],
    ["Tamil", "கொ கோ"],
    ["Sinhala", "කෝ ශ්‍රී"],
  ])("%s", (_, text) => {
    expect(cleanMessage(text.normalize("NFD"), 400)).toEqual({ ok: true, text });
  });
});

test("the listed viramas are the marks of combining class 9", () => {
  // The class shows in how a mark is sorted among neighbours of the classes 8 and 10.
  const sorts = (first: string, second: string) => {
    const pair = `a${first}${second}`;
    return pair.normalize("NFD") !== pair;
  };
  const wrong: string[] = [];
  for (let point = 0x300; point < 0x20000; point++) {
    const mark = String.fromCodePoint(point);
    if (!/\p{M}/u.test(mark) || mark.normalize("NFD") !== mark) continue;
    const isVirama = sorts(mark, "\u3099") && sorts("\u05B0", mark);
    if (isVirama !== VIRAMA.test(mark)) wrong.push(point.toString(16));
  }
  expect(wrong).toEqual([]);
});

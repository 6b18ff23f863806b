import { describe, expect, test } from "bun:test";
import {
  type Cleaned,
  cleanDetails,
  cleanInterest,
  cleanInterests,
  cleanMessage,
  cleanName,
  cleanRoomCode,
  holdsToken,
  type TextFault,
  type Unclean,
} from "../../src/domain/text.ts";

const TOKEN = "mcpc_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

const clean = (text: string): Cleaned => ({ ok: true, text });
const refused = (reason: TextFault): Unclean => ({ ok: false, reason });

describe("cleanMessage", () => {
  test.each([
    ["keeps plain text", "Hello, world!", "Hello, world!"],
    ["keeps indentation, tabs and blank lines", "  a\n\n\tb  \n", "  a\n\n\tb  \n"],
    [
      "makes one line feed of CRLF, CR, NEL, LS, PS, VT and FF",
      "a\r\nb\rc\x85d\u2028e\u2029f\vg\fh",
      "a\nb\nc\nd\ne\nf\ng\nh",
    ],
    ["makes two of CR CR LF", "a\r\r\nb", "a\n\nb"],
    ["composes", "e\u0301 \u1112\u1161\u11ab", "\u00e9 \ud55c"],
    ["composes over what it removed", "e\u200b\u0301", "\u00e9"],
    ["keeps compatibility characters, unlike NFKC", "ﬁ ① Ａ", "ﬁ ① Ａ"],
    ["keeps unassigned characters: next year's emoji", "\u{1FAFF}\u{1FAEE}", "\u{1FAFF}\u{1FAEE}"],
    ["keeps wide and narrow spaces", "a\u3000b\u202fc\u00a0d", "a\u3000b\u202fc\u00a0d"],
    ["drops a joiner between Latin letters", "Auf\u200clage", "Auflage"],
    ["drops a variation selector on a digit that is no keycap", "1\uFE0F2", "12"],
    ["drops a non-joiner between emoji", "\u{1f469}\u200c\u{1f680}", "\u{1f469}\u{1f680}"],
    ["keeps a joiner only once in a place", "\u0915\u094d\u200d\u200d\u0937", "\u0915\u094d\u200d\u0937"],
  ])("%s", (_, input, text) => {
    expect(cleanMessage(input, 100)).toEqual(clean(text));
  });

  test.each(["", " ", "\n\t \n", "\u200b", "\u3000\u2003", "\u2800", "\u0301", "\x1b[31m\x1b[0m", "\u3164", "\ud800"])(
    "%j is empty",
    (input) => {
      expect(cleanMessage(input, 100)).toEqual(refused("empty"));
    },
  );

  test("measures in code points, after cleaning", () => {
    expect(cleanMessage("x".repeat(10), 10).ok).toBe(true);
    expect(cleanMessage("x".repeat(11), 10)).toEqual(refused("too_long"));
    expect(cleanMessage("😀".repeat(10), 10).ok).toBe(true);
    expect(cleanMessage("😀".repeat(11), 10)).toEqual(refused("too_long"));
    expect(cleanMessage("😀".repeat(21), 10)).toEqual(refused("too_long"));
    expect(cleanMessage("e\u0301".repeat(10), 10).ok).toBe(true);
    expect(cleanMessage("\x1b[31mx".repeat(10), 10)).toEqual(clean("xxxxxxxxxx"));
    expect(cleanMessage(`${"x".repeat(10)}${"\u200b".repeat(100)}`, 10)).toEqual(clean("xxxxxxxxxx"));
  });

  test("does not read a text of more than sixteen times the length", () => {
    expect(cleanMessage(`x${"\u200b".repeat(159)}`, 10)).toEqual(clean("x"));
    expect(cleanMessage(`x${"\u200b".repeat(160)}`, 10)).toEqual(refused("too_long"));
  });
});

test("cleanDetails follows the rules of a message, up to 2,000 characters", () => {
  expect(cleanDetails("rude\r\nand\x07 loud")).toEqual(clean("rude\nand loud"));
  expect(cleanDetails("x".repeat(2000)).ok).toBe(true);
  expect(cleanDetails("x".repeat(2001))).toEqual(refused("too_long"));
});

describe("cleanName", () => {
  test.each([
    ["Grace Hopper", "Grace Hopper"],
    ["  Grace \t\n  Hopper  ", "Grace Hopper"],
    ["System:", "System:"],
    ["[admin]", "[admin]"],
    ["<|im_start|>", "<|im_start|>"],
    ["O'Neil-Smith, Jr.", "O'Neil-Smith, Jr."],
    ["x", "x"],
    ["42", "42"],
    ["🦊", "🦊"],
    ["☆", "☆"],
    ["Zoe\u0308", "Zo\u00eb"],
    ["a".repeat(40), "a".repeat(40)],
  ])("%j is %j", (input, text) => {
    expect(cleanName(input)).toEqual(clean(text));
  });

  test.each(["###", "-----", "```", "<|>", "[]:", "═══", "────", "…", "= = =", "\u0338-", "$"])(
    "%j is only punctuation",
    (input) => {
      expect(cleanName(input)).toEqual(refused("only_punctuation"));
    },
  );

  test.each(["", "   ", "\u200d", "\u2800\u2800", "\u0301", " \u0301 \u0301"])("%j is empty", (input) => {
    expect(cleanName(input)).toEqual(refused("empty"));
  });

  test("is too long from 41 characters on", () => {
    expect(cleanName("a".repeat(41))).toEqual(refused("too_long"));
    expect(cleanName("a".repeat(100_000))).toEqual(refused("too_long"));
  });
});

describe("cleanInterest", () => {
  test.each([
    ["Music", "music"],
    ["#Music", "music"],
    ["## # Music", "music"],
    ["# \u0301Music", "music"],
    ["#️⃣", "#️⃣"],
    ["C#", "c#"],
    ["  Board \n Games ", "board games"],
    ["ÉCOLE", "école"],
    ["E\u0301cole", "école"],
    ["Straße", "strasse"],
    ["STRASSE", "strasse"],
    ["STRAẞE", "strasse"],
    ["ΜΟΥΣΙΚΉΣ", "μουσικής"],
    ["İstanbul", "i̇stanbul"],
    ["Ⓜ️", "ⓜ"],
  ])("%j is %j", (input, text) => {
    expect(cleanInterest(input)).toEqual(clean(text));
  });

  test("is empty without anything to see, and too long from 33 characters on", () => {
    expect(cleanInterest("#")).toEqual(refused("empty"));
    expect(cleanInterest("# # \u0301")).toEqual(refused("empty"));
    expect(cleanInterest("x".repeat(33))).toEqual(refused("too_long"));
  });
});

describe("cleanInterests", () => {
  test("keeps the order and each interest once", () => {
    const cleaned = cleanInterests(["Music", "film", "#MUSIC", "", "#", " Film "]);
    expect(cleaned).toEqual({ ok: true, interests: ["music", "film"] });
  });

  test("counts what remains: ten are allowed", () => {
    const ten = Array.from({ length: 10 }, (_, index) => `tag ${index}`);
    expect(cleanInterests([...ten, ...ten, ""])).toEqual({ ok: true, interests: ten });
    expect(cleanInterests([...ten, "one more"])).toEqual(refused("too_many"));
    expect(cleanInterests([])).toEqual({ ok: true, interests: [] });
  });

  test("refuses the list for one of them", () => {
    expect(cleanInterests(["music", "x".repeat(33)])).toEqual(refused("too_long"));
    expect(cleanInterests(["music", TOKEN])).toEqual(refused("holds_token"));
  });

  test("refuses a token dealt out over several", () => {
    expect(cleanInterests(["music", TOKEN.slice(0, 20), TOKEN.slice(20, 40)])).toEqual(refused("holds_token"));
  });
});

describe("cleanRoomCode", () => {
  test.each([
    ["Blue-Whale", "blue-whale"],
    ["  blue\twhale ", "blue whale"],
    ["CAFE\u0301 42", "café 42"],
    ["x".repeat(64), "x".repeat(64)],
    ["🦊🦊🦊🦊🦊🦊", "🦊🦊🦊🦊🦊🦊"],
  ])("%j is %j", (input, text) => {
    expect(cleanRoomCode(input)).toEqual(clean(text));
  });

  test("has 6 to 64 characters", () => {
    expect(cleanRoomCode("      ")).toEqual(refused("empty"));
    expect(cleanRoomCode("12345")).toEqual(refused("too_short"));
    expect(cleanRoomCode("🦊🦊🦊🦊🦊")).toEqual(refused("too_short"));
    expect(cleanRoomCode(`12345${"\u200b".repeat(10)}`)).toEqual(refused("too_short"));
    expect(cleanRoomCode("x".repeat(65))).toEqual(refused("too_long"));
  });
});

describe("a session token", () => {
  const spaced = [...TOKEN].join(" ");
  const fullWidth = [...TOKEN].map((letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)).join("");
  const boldPrefix = "\u{1D426}\u{1D41C}\u{1D429}\u{1D41C}_";

  test.each([
    ["plain", TOKEN],
    ["inside a sentence", `my token is "${TOKEN}", keep it`],
    ["inside a word", `x${TOKEN}x`],
    ["in capitals", TOKEN.toUpperCase()],
    ["the shortest", "mcpc_0123456789-_ABCDEFGH"],
    ["letter by letter", spaced],
    ["line by line", TOKEN.replaceAll(/.{5}/g, "$&\n")],
    ["with ideographic and blank characters between", [...TOKEN].join("\u3000\u2800")],
    ["in full-width letters", fullWidth],
    ["with a mathematical prefix", TOKEN.replace("mcpc_", boldPrefix)],
    ["with circled letters", TOKEN.replace("mcpc", "ⓜⓒⓟⓒ")],
    ["with another low line", TOKEN.replace("_", "\uFE4D")],
    ["with a Markdown escape", TOKEN.replace("_", "\\_")],
    ["with a decimal reference", TOKEN.replace("_", "&#95;")],
    ["with a padded reference", TOKEN.replace("_", "&#0095;")],
    ["with a hexadecimal reference", TOKEN.replace("_", "&#x5f;")],
    ["with the capital reference", TOKEN.replace("_", "&#X5F;")],
    ["with an HTML name", TOKEN.replace("_", "&lowbar;")],
    ["with the other HTML name", TOKEN.replace("_", "&UnderBar;")],
    ["with a full-width reference", TOKEN.replace("_", "\uFF06\uFF03\uFF19\uFF15\uFF1B")],
    ["with a URL escape", TOKEN.replace("_", "%5F")],
    ["with a string escape", TOKEN.replace("_", "\\u005f")],
    ["with dots between", [...TOKEN].join(".")],
    ["with hyphens between", [...TOKEN].join("-")],
    ["with low lines between", [...TOKEN].join("_")],
    ["with punctuation of all kinds between", [...TOKEN].join("*,|")],
    ["with ideographic punctuation between", [...TOKEN].join("\u3001")],
    ["with emoji between", [...TOKEN].join("\u{1f600}")],
    ["with Cyrillic letters", TOKEN.replace("mcpc", "\u043c\u0441\u0440\u0441")],
    ["with a Cyrillic es", TOKEN.replace("mc", "m\u0421")],
    ["with Greek lunate sigmas", TOKEN.replace("mcpc", "m\u03f2p\u03f9")],
    ["with small capitals", TOKEN.replace("mcpc", "\u1d0d\u1d04\u1d18\u1d04")],
    ["with accents", [...TOKEN].join("\u0301").normalize("NFC")],
  ])("is found: %s", (_, text) => {
    expect(holdsToken(text)).toBe(true);
    expect(cleanMessage(text, 4000)).toEqual(refused("holds_token"));
    expect(cleanDetails(text)).toEqual(refused("holds_token"));
    expect(cleanName(text)).toEqual(refused("holds_token"));
    expect(cleanInterest(text)).toEqual(refused("holds_token"));
    expect(cleanRoomCode(text)).toEqual(refused("holds_token"));
  });

  test.each([
    "mcpc_",
    "a mcpc_ token is secret",
    "mcpc_0123456789012345678",
    "mcpc-01234567890123456789",
    "cpc_01234567890123456789",
    "mcp chat is a lovely program for all of you",
    "MCP, Claude & you: 100% of what the snake_case of a_name_like_this needs to be talked about",
    "mcp_chat_is_a_lovely_program_for_all_of_you",
    "mcp-chat_client and mcp_client_session_manager_of_the_house",
    "McPherson & Co. have 95 branches, 5f of them in town_and_country_side_by_side",
    "\\mathrm{cpc} and 50% off: mcpc 95, and nothing",
    "\u041c\u043e\u0441\u043a\u0432\u0430_\u0438_\u0441\u0440\u0435\u0434\u0430 & more_of_that_and_so_on",
  ])("is not found in %j", (text) => {
    expect(holdsToken(text)).toBe(false);
    expect(cleanMessage(text, 4000)).toEqual(clean(text));
  });

  test("is named as the fault of a text that is too long as well", () => {
    expect(cleanName(`my token is ${TOKEN}`)).toEqual(refused("holds_token"));
  });

  test("needs a low line or an escape of it, and normalising knows seven low lines", () => {
    const lowLines: string[] = [];
    for (let point = 0; point <= 0x10ffff; point++) {
      const letter = String.fromCodePoint(point);
      if (letter.normalize("NFKD").includes("_")) lowLines.push(letter);
    }
    expect(lowLines).toHaveLength(7);
    for (const lowLine of lowLines) expect(holdsToken(TOKEN.replace("_", lowLine))).toBe(true);
  });
});

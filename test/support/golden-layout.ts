/**
 * How messages stand on a page: JSON in lines of bearable length, texts of several lines as blocks,
 * and the difference of two pages.
 *
 * This file owns pure functions from values to lines. It must never leave out a part of a value.
 */

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** Longest line where it can be helped, as everywhere in this project. */
const WIDTH = 120;
/** How far the rest of something long is indented. */
export const INDENT = "    ";

/** JSON in which every character can be seen. */
function jsonOf(value: Plain): string {
  return JSON.stringify(value).replace(/(?! )[\p{C}\p{Z}]/gu, escaped);
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
    .join("");
}

/** Compact JSON behind `head`, broken after commas wherever a line would be too long. */
export function fill(head: string, value: Plain): string[] {
  const lines: string[] = [];
  let line = `${head} `;
  for (const part of partsOf(jsonOf(value))) {
    if (line.length + part.length > WIDTH && line.trim() !== "") {
      lines.push(line.trimEnd());
      line = INDENT;
    }
    line += part;
  }
  return [...lines, line];
}

/** The pieces of compact JSON that end with a comma outside of strings. */
function partsOf(json: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "\\") at++;
    else if (character === '"') quoted = !quoted;
    else if (character === "," && !quoted) {
      parts.push(json.slice(start, at + 1));
      start = at + 1;
    }
  }
  return [...parts, json.slice(start)];
}

/** JSON with a line for each member, but for what fits into one; a text of several lines as a block. */
export function tree(head: string, value: Plain, indent = ""): string[] {
  const flat = `${indent}${head}${jsonOf(value)}`;
  if (typeof value === "string") return value.includes("\n") ? block(`${indent}${head}`, value, indent) : [flat];
  if (typeof value !== "object" || value === null || (flat.length <= WIDTH && !hasLineBreaks(value))) return [flat];
  const members = Array.isArray(value)
    ? value.flatMap((item) => tree("- ", item, indent + INDENT))
    : Object.entries(value).flatMap(([key, member]) => tree(`${key}: `, member, indent + INDENT));
  return [`${indent}${head}`.trimEnd(), ...members];
}

function hasLineBreaks(value: Plain): boolean {
  if (typeof value === "string") return value.includes("\n");
  return typeof value === "object" && value !== null && Object.values(value).some(hasLineBreaks);
}

/** A text as it is, each line behind a bar. */
export function block(head: string, text: string, indent = ""): string[] {
  return [head.trimEnd(), ...text.split("\n").map((line) => `${indent}${INDENT}| ${line}`.trimEnd())];
}

/** Lines around a difference that are shown too. */
const CONTEXT = 2;

/** What has become of a page: lines gone behind `-`, lines come behind `+`, and where; "" if nothing has. */
export function difference(before: readonly string[], after: readonly string[]): string {
  const kept = commonLines(before, after);
  const marked: string[] = [];
  let [from, to] = [0, 0];
  for (const line of [...kept, undefined]) {
    while (from < before.length && before[from] !== line) marked.push(`- ${before[from++]}`);
    while (to < after.length && after[to] !== line) marked.push(`+ ${after[to++]}`);
    if (line !== undefined) marked.push(`  ${line}`);
    from++;
    to++;
  }
  const isNear = (at: number): boolean =>
    marked.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some((line) => !line.startsWith("  "));
  const near = marked.map((line, at) => (isNear(at) ? line : "..."));
  return near.filter((line, at) => line !== "..." || near[at - 1] !== "...").join("\n");
}

/** The longest sequence of lines that both have. */
function commonLines(a: readonly string[], b: readonly string[]): string[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    const row = lengths[i] ?? [];
    for (let j = b.length - 1; j >= 0; j--)
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const common: string[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const line = a[i] ?? "";
    if (line === b[j]) {
      common.push(line);
      i++;
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return common;
}

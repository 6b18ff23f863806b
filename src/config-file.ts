/**
 * The settings file: TOML without tables, read once when the program starts.
 *
 * This file owns the reading and what is wrong with the file as TOML. It must never know a setting, and
 * never repeat a line of the file, which may be a secret.
 */
import { readBounded } from "./bounded-file.ts";
import { CONFIG_FILE_BYTES_MAX } from "./limits.ts";
import { formatValue } from "./log.ts";
import type { SettingsFileReading } from "./settings.ts";

/** Reads `key = value` lines. Total: what is wrong comes back as one line that names the file. */
export function readConfigFile(path: string): SettingsFileReading {
  const file = formatValue(path);
  const refused = (problem: string): SettingsFileReading => ({ ok: false, message: `${file}: ${problem}` });
  let bytes: Buffer;
  let isOpenToOthers: boolean;
  try {
    ({ bytes, isOpenToOthers } = readBounded(path, CONFIG_FILE_BYTES_MAX));
  } catch (problem) {
    return { ok: false, message: `cannot read the settings file ${file}: ${reasonOf(problem)}`, unreadable: true };
  }
  if (bytes.length > CONFIG_FILE_BYTES_MAX) return refused(`is larger than ${CONFIG_FILE_BYTES_MAX / 1024} KiB`);
  const text = decode(bytes);
  if (text === undefined) return refused("is not UTF-8");
  const parsed = parse(text);
  if (!parsed.ok) return refused(`line ${faultyLine(text)}: ${parsed.problem}`);

  const entries = new Map(Object.entries(parsed.root));
  for (const [key, value] of entries) {
    if (holdsTable(value)) return refused(`${formatValue(key)} is a table; settings are plain "key = value" lines`);
  }
  return { ok: true, entries, isOpenToOthers };
}

type Parsed =
  | { readonly ok: true; readonly root: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problem: string };

function parse(text: string): Parsed {
  try {
    return { ok: true, root: Bun.TOML.parse(text) as Record<string, unknown> };
  } catch (problem) {
    return { ok: false, problem: problemOf(problem) };
  }
}

/** What the parser says, without what it quotes of the file: one character of it at most. */
function problemOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : "";
  const said = /^TOML Parse error: ((?:'[ -~]'|[^:"'\n])*)/.exec(message)?.[1]?.trim() ?? "";
  return said === "" ? "this is not TOML" : `this is not TOML (${said})`;
}

/** Lines a statement may have for the one at fault to be found behind it: a long list, an item a line. */
const STATEMENT_LINES_MAX = 1000;

/** Where the statement begins that cannot be read, or whose key is taken, from 1. The parser itself does not say. */
function faultyLine(text: string): number {
  const lines = text.split("\n");
  const keys = new Set<string>();
  let start = 0;
  for (let end = 1; end <= lines.length && end - start <= STATEMENT_LINES_MAX; end++) {
    const statement = parse(lines.slice(start, end).join("\n"));
    if (!statement.ok) continue;
    const isRepeated = Object.keys(statement.root).some((key) => keys.size === keys.add(key).size);
    if (isRepeated) break;
    start = end;
  }
  return start + 1;
}

/** Dates are objects too, of classes of their own: those are values, of a type that no setting has. */
function holdsTable(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsTable);
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (_malformed) {
    return undefined;
  }
}

/** The system's words: `ENOENT: no such file or directory, open 'x'` without the code and the call. */
function reasonOf(problem: unknown): string {
  const said = problem instanceof Error ? problem.message : "";
  return /^[A-Z]+: ([^,]+),/.exec(said)?.[1] ?? "unknown reason";
}

/**
 * How settings are written and read: one table gives the flags, the environment variables, the help
 * and the type of what is read from them.
 *
 * This file owns the sources of settings and what an operator reads about a mistake. It must never know
 * a particular setting, repeat a secret's value, or throw on what an operator wrote.
 */

import { formatValue } from "./log.ts";
import { nearest } from "./nearest.ts";
import type { FileType, Kind } from "./setting-kinds.ts";

/** Environment variables as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Setting<T> extends Kind<T> {
  /** In kebab case, as in the flag; the other spellings are made from it. */
  readonly key: string;
  readonly help: string;
  readonly initial: Initial<T>;
  /** A secret that is never taken from a command line, which others can read. */
  readonly environmentOnly?: true;
}

/** The value of a setting that nobody gave, and how the help shows it. */
export interface Initial<T> {
  readonly shown: string;
  value(): T;
}

/** Settings by the name of the field their value goes to. */
export type SettingTable = Readonly<Record<string, Setting<unknown>>>;

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** What is read from a table. Frozen. */
export type ValuesOf<Table> = { readonly [Field in keyof Table]: ValueOf<Table[Field]> };

/** Either every setting, or one line that names the first thing wrong. */
export type ParsedSettings<Values> =
  | {
      readonly ok: true;
      readonly values: Values;
      readonly operands: readonly string[];
      /** The settings file, if it holds a secret and everybody on the machine can read it. */
      readonly exposedFile?: string;
    }
  | SettingsFailure;

export interface SettingsFailure {
  readonly ok: false;
  readonly message: string;
  /** What was written may be right: a file could not be read. */
  readonly unreadable?: true;
}

/** A text as the default is read like any other; one that its own kind does not allow is a bug in the table. */
export function setting<T>(key: string, kind: Kind<T>, initial: string | Initial<T>, help: string): Setting<T> {
  if (typeof initial !== "string") return { ...kind, key, help, initial };
  const value = kind.read(initial);
  if (value === undefined) throw new Error(`the default of ${key} is not allowed`);
  return { ...kind, key, help, initial: { shown: initial, value: () => value } };
}

/** A secret without a default that only the environment can give. */
export function environmentSecret<T>(key: string, kind: Kind<T | undefined>, help: string): Setting<T | undefined> {
  const initial = { shown: "none", value: () => undefined };
  return { ...setting(key, kind, initial, help), environmentOnly: true };
}

// --- sources ----------------------------------------------------------------------------------

/** One place settings come from. Parsing takes any number of them; the first that has a key wins. */
interface Source {
  /** What was written, by the key of the setting. */
  readonly texts: ReadonlyMap<string, string>;
  /** How this source spells a key, for messages. */
  spell(key: string): string;
}

/** One line for the operator that names what is wrong. */
type Complaint = string;

const ENVIRONMENT_PREFIX = "MCP_CHAT_";
const flagOf = (key: string): string => `--${key}`;

/** How a settings file spells a key. */
export const fileKeyOf = (key: string): string => key.replaceAll("-", "_");

/** How the environment spells a key. */
export const variableOf = (key: string): string => ENVIRONMENT_PREFIX + key.toUpperCase().replaceAll("-", "_");

/** What one command offers of its table, and what else it must not stumble over. */
export interface Offer {
  /** Arguments that are no options; default: none are taken. */
  readonly operandsMax?: number;
  /** Whether the command takes this option; its variable is known anyway, as it may be meant for others. */
  offers?(key: string): boolean;
  /** Keys of other commands, whose variables may stand in the same environment. */
  readonly otherKeys?: Iterable<string>;
  /** Where else settings are, for commands that take them from a file. */
  readonly file?: SettingsFileOffer;
}

export interface SettingsFileOffer {
  /** The setting that names the file; it cannot stand in the file itself. */
  readonly key: string;
  read(path: string): SettingsFileReading;
}

/** What a settings file says, by the keys as they are written there; or why it says nothing. */
export type SettingsFileReading =
  | { readonly ok: true; readonly entries: ReadonlyMap<string, unknown>; readonly isOpenToOthers: boolean }
  | SettingsFailure;

/** A hint for who mistyped a name, ready to stand in a message. */
function didYouMean(written: string, known: Iterable<string>, spell: (key: string) => string): string {
  const meant = nearest(written, known);
  return meant === undefined ? "" : `; did you mean ${spell(meant)}?`;
}

function readFlags(
  byKey: ReadonlyMap<string, Setting<unknown>>,
  argv: readonly string[],
  { offers = () => true, operandsMax = 0 }: Offer,
): (Source & { readonly operands: readonly string[] }) | Complaint {
  const texts = new Map<string, string>();
  const operands: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const written = argv[at] ?? "";
    // What follows `=` may be a secret under a misspelt name, so it stays out of every message here.
    const [, name, inline] = /^--([^=]*)(?:=(.*))?$/s.exec(written) ?? [];
    if (name === undefined) {
      if (operands.length >= operandsMax || written.startsWith("-") || written === "") {
        return `unexpected argument ${formatValue(written)}; see --help`;
      }
      operands.push(written);
      continue;
    }
    const known = byKey.get(name);
    if (known === undefined || !offers(name)) {
      const hint = didYouMean(name, [...byKey.keys()].filter(offers), flagOf);
      return `unknown option ${formatValue(flagOf(name))}${hint || "; see --help"}`;
    }
    if (known.environmentOnly)
      return `${flagOf(name)} is no option: others can read a command line; use ${variableOf(name)}`;
    if (texts.has(name)) return `${flagOf(name)} is given twice`;

    if (inline !== undefined) {
      texts.set(name, inline);
    } else if (known.placeholder === undefined) {
      texts.set(name, "true");
    } else {
      at += 1;
      const value = argv[at];
      if (value === undefined || value.startsWith("--")) {
        return `${flagOf(name)} needs a value; allowed: ${known.allowed}`;
      }
      texts.set(name, value);
    }
  }
  return { texts, spell: flagOf, operands };
}

function readEnvironment(
  byKey: ReadonlyMap<string, Setting<unknown>>,
  env: Environment,
  { otherKeys = [] }: Offer,
): Source | Complaint {
  const texts = new Map<string, string>();
  const keyByVariable = new Map([...byKey.keys()].map((key) => [variableOf(key), key]));
  const others = new Set([...otherKeys].map(variableOf));
  for (const [variable, text] of Object.entries(env)) {
    if (text === undefined || !variable.startsWith(ENVIRONMENT_PREFIX)) continue;
    const key = keyByVariable.get(variable);
    if (key !== undefined) texts.set(key, text);
    else if (!others.has(variable)) {
      const written = variable.slice(ENVIRONMENT_PREFIX.length).replaceAll("_", "-");
      const hint = didYouMean(written, byKey.keys(), variableOf);
      return `unknown environment variable ${formatValue(variable)}${hint || "; see --help"}`;
    }
  }
  return { texts, spell: variableOf };
}

// --- the settings file ------------------------------------------------------------------------

interface FileSource extends Source {
  readonly exposedFile?: string;
}

/** The settings of the file that flags and environment name, if they name one. */
function readFile(
  byKey: ReadonlyMap<string, Setting<unknown>>,
  offer: SettingsFileOffer | undefined,
  sources: readonly Source[],
): FileSource | undefined | Complaint | SettingsFailure {
  const path = offer && sources.map(({ texts }) => texts.get(offer.key)).find((text) => text !== undefined);
  // A path that is none is found with the other values.
  if (offer === undefined || path === undefined || byKey.get(offer.key)?.read(path) === undefined) return undefined;
  const file = formatValue(path);
  const reading = offer.read(path);
  if (!reading.ok) return reading;

  const texts = new Map<string, string>();
  const keys = new Map([...byKey.keys()].filter((key) => key !== offer.key).map((key) => [fileKeyOf(key), key]));
  let holdsSecret = false;
  for (const [written, value] of reading.entries) {
    const one = byKey.get(keys.get(written) ?? "");
    if (one === undefined) {
      const hint = didYouMean(written.replaceAll("_", "-"), keys.values(), fileKeyOf);
      return `${file}: unknown key ${formatValue(written)}${hint || "; see serve --help"}`;
    }
    const type = one.inFile ?? "string";
    const text = TEXT_OF[type](value);
    if (text === undefined) return `${file}: ${written} must be ${WRITTEN_AS[type]}; allowed: ${one.allowed}`;
    texts.set(one.key, text);
    holdsSecret ||= one.secret === true;
  }
  const exposed = holdsSecret && reading.isOpenToOthers ? { exposedFile: path } : {};
  return { texts, spell: (key) => `${file}: ${fileKeyOf(key)}`, ...exposed };
}

const WRITTEN_AS: Readonly<Record<FileType, string>> = {
  string: "a string, in quotes",
  number: "a number, without quotes",
  size: 'a number of bytes or a string such as "64MiB"',
  boolean: "true or false, without quotes",
  list: "an array of strings, none with a comma in it, or one string",
};

/** The text a flag would have had for a value of a file; undefined if the value is of another type. */
const TEXT_OF: Readonly<Record<FileType, (value: unknown) => string | undefined>> = {
  string: textOf,
  number: (value) => (typeof value === "number" ? String(value) : undefined),
  size: (value) => (typeof value === "number" ? String(value) : textOf(value)),
  boolean: (value) => (typeof value === "boolean" ? String(value) : undefined),
  list: (value) => (Array.isArray(value) ? joined(value) : textOf(value)),
};

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function joined(items: readonly unknown[]): string | undefined {
  // An item that is empty or has a comma in it would read as something else among the others.
  const isItem = (item: unknown): boolean => typeof item === "string" && item.trim() !== "" && !item.includes(",");
  return items.every(isItem) ? items.join(",") : undefined;
}

// --- all of them ------------------------------------------------------------------------------

/** The value of one setting from the first source that has it, else its default. All sources must be right. */
function resolve<T>(one: Setting<T>, sources: readonly Source[]): { readonly value: T } | Complaint {
  let found: { readonly value: T } | undefined;
  for (const source of sources) {
    const text = source.texts.get(one.key);
    if (text === undefined) continue;
    const value = one.read(text);
    if (value === undefined) {
      const shown = one.secret ? "this value" : formatValue(text);
      return `${source.spell(one.key)}: ${shown} is not allowed; allowed: ${one.allowed}`;
    }
    found ??= { value };
  }
  return found ?? { value: one.initial.value() };
}

/**
 * Reads every setting of a table from the flags, the environment and the file that these may name; a flag
 * wins over a variable, a variable over the file. Total: what is wrong comes back as a message that names
 * the setting, and never a secret's value. A value must be right even where another one wins over it.
 */
export function parseSettings<Table extends SettingTable>(
  table: Table,
  argv: readonly string[],
  env: Environment,
  offer: Offer = {},
): ParsedSettings<ValuesOf<Table>> {
  const byKey = new Map(Object.values(table).map((one): [string, Setting<unknown>] => [one.key, one]));
  const flags = readFlags(byKey, argv, offer);
  if (typeof flags === "string") return { ok: false, message: flags };
  const variables = readEnvironment(byKey, env, offer);
  if (typeof variables === "string") return { ok: false, message: variables };
  const file = readFile(byKey, offer.file, [flags, variables]);
  if (typeof file === "string") return { ok: false, message: file };
  if (file !== undefined && "ok" in file) return file;

  const sources = file === undefined ? [flags, variables] : [flags, variables, file];
  const values: Record<string, unknown> = {};
  for (const [field, one] of Object.entries(table)) {
    const resolved = resolve(one, sources);
    if (typeof resolved === "string") return { ok: false, message: resolved };
    values[field] = resolved.value;
  }
  const exposed = file?.exposedFile === undefined ? {} : { exposedFile: file.exposedFile };
  // Sound because the loop ran over the very table that the type is made from.
  return { ok: true, values: Object.freeze(values) as ValuesOf<Table>, operands: flags.operands, ...exposed };
}

// --- help -------------------------------------------------------------------------------------

const FLAG_COLUMN = 32;

/** One line for each option, for `--help`: at most 80 columns. */
export function describeOptions(table: SettingTable, offers: (key: string) => boolean = () => true): string[] {
  return Object.values(table)
    .filter((one) => offers(one.key))
    .map((one) => {
      const spelt = one.environmentOnly ? variableOf(one.key) : flagOf(one.key);
      const placeholder = one.environmentOnly ? undefined : one.placeholder;
      const flag = [spelt, placeholder].filter((part) => part !== undefined).join(" ");
      const initial = one.initial.shown === "" || placeholder === undefined ? "" : ` [${one.initial.shown}]`;
      return `  ${flag.padEnd(FLAG_COLUMN - 2)} ${one.help}${initial}`;
    });
}

/**
 * The kinds of value a setting may have: how each is written, what it allows, and how its text is read.
 *
 * This file owns how text becomes a value. It must never know a particular setting, throw on what an
 * operator wrote, or repeat a secret.
 */
import { parseRange } from "./ip-address.ts";

/** The types of a settings file: sizes may be numbers or strings, lists may be arrays or strings with commas. */
export type FileType = "string" | "number" | "size" | "boolean" | "list";

/** How one kind of value is written. */
export interface Kind<T> {
  /** Stands for the value in the help; absent for a switch, which needs no value. */
  readonly placeholder?: string;
  /** Completes the sentence "allowed: ...". */
  readonly allowed: string;
  /** Whether the value must not be repeated in messages. */
  readonly secret?: true;
  /** What a settings file holds for it; default: a string. */
  readonly inFile?: FileType;
  /** Reads the text; undefined if it is not allowed. */
  read(text: string): T | undefined;
}

function readNumber(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

/** A number that may have a fraction. */
export function decimal(min: number, max: number): Kind<number> {
  return {
    placeholder: "N",
    inFile: "number",
    allowed: `a number from ${min} to ${max}`,
    read: (text) => readNumber(text, min, max),
  };
}

/** A whole number. */
export function integer(min: number, max: number): Kind<number> {
  return {
    placeholder: "N",
    inFile: "number",
    allowed: `a whole number from ${min} to ${max}`,
    read: (text) => (text.includes(".") ? undefined : readNumber(text, min, max)),
  };
}

/** Written in seconds, with a fraction if need be; held in whole milliseconds. */
export function seconds(min: number, max: number): Kind<number> {
  return {
    placeholder: "SECONDS",
    inFile: "number",
    allowed: `seconds from ${min} to ${max}`,
    read(text) {
      const value = readNumber(text, min, max);
      return value === undefined ? undefined : Math.round(value * 1000);
    },
  };
}

const SECONDS_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", 86_400],
]);

/** A length of time with its unit; held in whole seconds, at most ten years. */
export const duration: Kind<number | undefined> = {
  placeholder: "TIME",
  allowed: "a time such as 45s, 30m, 12h or 7d, up to 3650d",
  read(text) {
    const [, digits = "", unit = ""] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
    const value = Number(digits) * (SECONDS_PER_UNIT.get(unit) ?? Number.NaN);
    return value >= 1 && value <= 315_360_000 ? value : undefined;
  },
};

const BYTES_PER_UNIT: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
]);

/** A size, with a unit of 1,024s if one is written. */
export function bytes(min: number, max: number): Kind<number> {
  return {
    placeholder: "SIZE",
    inFile: "size",
    allowed: `a size such as 64MiB (KiB, MiB, GiB; bare = bytes) from ${showBytes(min)} to ${showBytes(max)}`,
    read(text) {
      const [, digits = "", unit = ""] = /^(\d{1,15}) ?(\w*)$/.exec(text) ?? [];
      const value = Number(digits) * (BYTES_PER_UNIT.get(unit) ?? Number.NaN);
      return value >= min && value <= max ? value : undefined;
    },
  };
}

function showBytes(value: number): string {
  const [unit, size] = [...BYTES_PER_UNIT].findLast(([, size]) => value % size === 0) ?? ["", 1];
  return `${value / size}${unit}`;
}

/** One of a few words. */
export function choice<const T extends string>(placeholder: string, words: readonly T[]): Kind<T> {
  return {
    placeholder,
    allowed: words.join(", "),
    read: (text) => words.find((word) => word === text),
  };
}

const TOGGLE_WORDS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["false", false],
  ["0", false],
]);

/** On or off; the flag alone means on. */
export const toggle: Kind<boolean> = {
  inFile: "boolean",
  allowed: "true or false",
  read: (text) => TOGGLE_WORDS.get(text),
};

/** Comma-separated; an empty text is the empty list. `readItem` brings an item into its one spelling. */
export function list(allowed: string, readItem: (item: string) => string | undefined): Kind<readonly string[]> {
  return {
    placeholder: "LIST",
    inFile: "list",
    allowed,
    read(text) {
      if (text.trim() === "") return Object.freeze([]);
      const items = text.split(",").map((item) => readItem(item.trim()));
      return items.every((item) => item !== undefined) ? Object.freeze([...new Set(items)]) : undefined;
    },
  };
}

/** Addresses and ranges of them in CIDR notation, as they were written. */
export const addressRanges = list("addresses and ranges such as 127.0.0.1, 10.0.0.0/8 or fd00::/8", (text) =>
  parseRange(text) === undefined ? undefined : text,
);

/** Where a file is, from the working folder if it is no absolute path. */
export const filePath: Kind<string | undefined> = {
  placeholder: "PATH",
  allowed: "the path of a file",
  read: (text) => (text === "" || text.includes("\0") ? undefined : text),
};

/** The same for a folder. */
export const folderPath: Kind<string | undefined> = {
  ...filePath,
  placeholder: "FOLDER",
  allowed: "the path of a folder",
};

/** Where a Redis is. It may have a password in it. */
export const redisAddress: Kind<string | undefined> = {
  placeholder: "URL",
  allowed:
    "an address such as redis://HOST:6379/0 (also rediss, valkey, valkeys), with :PASSWORD@ before HOST if it has one",
  secret: true,
  read(text) {
    const parts = URL.parse(text);
    const isRedis = /^(?:redis|valkey)(?:s|\+tls)?(?:\+unix)?:$/.test(parts?.protocol ?? "");
    if (parts === null || !isRedis || parts.search !== "" || parts.hash !== "") return undefined;
    if (parts.protocol.includes("+unix")) return parts.pathname.length > 1 ? text : undefined;
    return parts.hostname !== "" && /^\/?\d{0,5}$/.test(parts.pathname) ? text : undefined;
  },
};

/** Where the history is. */
export type HistoryPlace =
  | { readonly kind: "off" }
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string };

/** A file of SQLite or a database of PostgreSQL, whose URL may hold a password. */
export const historyPlace: Kind<HistoryPlace | undefined> = {
  placeholder: "PLACE",
  allowed: "sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE, or off",
  secret: true,
  read(text) {
    if (text === "off") return { kind: "off" };
    const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(text)?.[1];
    if (path !== undefined) return path.startsWith("//") || path.includes("\0") ? undefined : { kind: "sqlite", path };
    const url = /^postgres(?:ql)?:\/\//.test(text) ? URL.parse(text) : null;
    return url === null || url.hostname === "" || url.pathname.length < 2 ? undefined : { kind: "postgres", url: text };
  },
};

/** A name or address to bind to, an IPv6 one with or without brackets. */
export const hostName: Kind<string> = {
  placeholder: "HOST",
  allowed: "an IP address or a host name, without a port",
  read: (text) => {
    const bare = text.replace(/^\[(.*)\]$/, "$1");
    return /^[\w.-]+$/.test(bare) || isIpv6(bare) ? bare : undefined;
  },
};

/** What may stand after `Bearer` (RFC 6750, section 2.1). */
export const bearerToken: Kind<string | undefined> = {
  placeholder: "SECRET",
  // RFC 6750, section 2.1: these are the characters that can follow `Bearer` in a header. The prefix
  // belongs to session tokens, which come in the same header and are looked up elsewhere.
  allowed: "up to 512 of A-Z a-z 0-9 - . _ ~ + / and then =, not beginning with mcpc_",
  secret: true,
  read: (text) => (text.length <= 512 && !text.startsWith("mcpc_") && /^[\w.~+/-]+=*$/.test(text) ? text : undefined),
};

/** In lower case: the name or address, with a port if one was written. */
export const hostHeaders = list("Host headers such as chat.example.org or 10.0.0.5:8000", (text) => {
  const [, name = "", port = "0"] = /^(\[.*\]|[\w.-]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const known = name.startsWith("[") ? isIpv6(name.slice(1, -1)) : name !== "";
  return known && Number(port) <= 65_535 ? text.toLowerCase() : undefined;
});

/** As browsers write it: scheme, host, and the port unless it is the scheme's own. */
export const origins = list("web origins such as https://chat.example.org", (text) => {
  const isBare = /^https?:\/\/[^/?#@\\]+\/?$/i.test(text);
  return isBare ? URL.parse(text)?.origin : undefined;
});

function isIpv6(text: string): boolean {
  return text.includes(":") && URL.parse(`http://[${text}]/`) !== null;
}

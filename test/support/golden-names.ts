/**
 * Stable names for what differs from run to run: ids, tokens, cursors and times, each replaced the
 * same way wherever it comes up.
 *
 * This file owns the patterns. Something random that fits none of them shows up as a difference.
 */

import type { Plain } from "./golden-layout.ts";

const DYNAMIC = new RegExp(
  [
    /(?<token>mcpc_[\w-]{43})/,
    /(?<kind>user|room|msg|report|ban)_(?<entropy>[0-9a-z]{8}entropyentropy[0-9a-z]*)/,
    /evt_(?<box>[0-9a-z]{8})(?<event>[0-9a-z]{4,})/,
    /typing_(?<sign>[\w-]{8}\.[0-9a-z]+)/,
    /c1\.(?<epoch>[0-9a-z]{8})\.(?<offset>[0-9a-z]+)/,
    // What follows the number of the message says which call it is, which can be seen anyway.
    /\bp(?<post>\d{6,})\.(?<sequence>\d+)(?:[.~][\w-]+)?/,
    /stranger-(?<frame>[\w-]{12})/,
    /(?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** Entropy for the `n`th entry, in which the patterns recognise ids; told apart by its first characters. */
export function nthEntropy(n: number): string {
  return `${n.toString(36).padStart(8, "0")}entropyentropy`;
}

export class Names {
  readonly #start: number;
  /** By the part of their user's entropy that ids and mailboxes have in common, or by token. */
  readonly #owners = new Map<string, string>();
  readonly #numbered = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  readonly #texts = new Map<string, string>();

  /** @param start milliseconds since 1970 from which times are counted */
  constructor(start: number) {
    this.#start = start;
  }

  /** A text that is always the same and long is told by a name. */
  abbreviate(text: string, name: string): void {
    this.#texts.set(text, name);
  }

  /** Somebody is told who they are. The first name stays. */
  meet(name: string, { userId, token }: { userId?: string | undefined; token?: string | undefined }): void {
    const entropy = /^user_([0-9a-z]{8})entropy/.exec(userId ?? "")?.[1];
    for (const key of [entropy, token]) if (key !== undefined && !this.#owners.has(key)) this.#owners.set(key, name);
  }

  /**
   * A value with names for everything that differs from run to run.
   * @param reader whose mailbox it is about where nobody knows
   */
  in(value: Plain, reader: string): Plain {
    if (typeof value === "string") return this.inText(value, reader);
    if (Array.isArray(value)) return value.map((item: Plain) => this.in(item, reader));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.in(member, reader)]));
  }

  inText(text: string, reader: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    return text.replace(DYNAMIC, (...args) => {
      const groups: Record<string, string | undefined> = args.at(-1);
      const { token, kind, entropy, box, event, sign, epoch, offset, post, sequence, frame, time } = groups;
      if (token !== undefined) return `<token-${this.#owner(token, reader)}>`;
      if (kind === "user") return `<user-${this.#owner((entropy ?? "").slice(0, 8), reader)}>`;
      if (kind !== undefined) return this.#number(kind === "msg" ? "message" : kind, entropy ?? "");
      if (box !== undefined) return `<event-${this.#owner(box, reader)}-${Number.parseInt(event ?? "", 36)}>`;
      if (sign !== undefined) return this.#number("sign", sign);
      if (epoch !== undefined) return `<cursor-${this.#owner(epoch, reader)}-${Number.parseInt(offset ?? "", 36)}>`;
      if (post !== undefined) return `p${this.#number("post", post)}.${sequence}`;
      if (frame !== undefined) return this.#number("stranger", frame).slice(1, -1);
      return `<t+${(Date.parse(time ?? "") - this.#start) / 1000}s>`;
    });
  }

  #owner(key: string, reader: string): string {
    const owner = this.#owners.get(key) ?? reader;
    this.#owners.set(key, owner);
    return owner;
  }

  #number(kind: string, key: string): string {
    let name = this.#numbered.get(key);
    if (name === undefined) {
      const count = (this.#counts.get(kind) ?? 0) + 1;
      this.#counts.set(kind, count);
      name = `<${kind}-${count}>`;
      this.#numbered.set(key, name);
    }
    return name;
  }
}

/**
 * The minutes of a conversation: who sent what to the server and what it sent to whom, in the order
 * in which the story takes notice of it.
 *
 * This file owns how a message is told. What is the same in every message of a kind is left out only
 * where it is exactly that; anything else is told as it came.
 */

import { block, fill, INDENT, type Plain, tree } from "./golden-layout.ts";
import type { Names } from "./golden-names.ts";

export type Json = { readonly [key: string]: Plain };

const NS = "io.modelcontextprotocol/";
const SUBSCRIPTION_ID = `${NS}subscriptionId`;

/** A text in which every line that a stranger wrote stands between two marks. */
const FRAMED =
  /^\{.*\}\nWhat stands between <(stranger-[\w-]{12})> and <\/\1> .*\n(?:[^<].*\n)*<\1>\n.*\n<\/\1>\n(?:[^<].*\n|<\1>\n.*\n<\/\1>\n)*[^<\n].*$/;

/** How a value is laid out: in as few lines as possible, or member by member, for what is reviewed line by line. */
export type Layout = "fill" | "tree";

export class Minutes {
  readonly lines: string[] = [];
  readonly #names: Names;
  readonly #showsFrames: boolean;

  /** @param showsFrames whether to tell the text blocks in which a stranger's words stand in a frame */
  constructor(names: Names, showsFrames: boolean) {
    this.#names = names;
    this.#showsFrames = showsFrames;
  }

  /** A person comes into the story. */
  introduced(text: string): void {
    this.#write(text);
  }

  /** One item of a list, member by member. */
  item(value: Plain): void {
    this.#write(...tree("- ", value, INDENT));
  }

  /** Something that happens beside the messages. */
  note(text: string): void {
    this.lines.push("", `-- ${text}`);
  }

  /** Somebody sends a request or a notification. */
  sent(who: string, verb: string, method: string, params: Json = {}, suffix = ""): void {
    const { _meta, ...rest } = params;
    const { name, arguments: args, ...others } = rest;
    const isNamed = typeof name === "string" && Object.keys(others).length === 0;
    const head = `${who} -> ${verb} ${method}${isNamed ? ` ${name}` : ""}`;
    const own = metaOf(_meta, []);
    const end = `${own === undefined ? "" : ` _meta ${JSON.stringify(own)}`}${suffix}`;
    const shown = isNamed ? (args ?? {}) : rest;
    this.#write(...this.#laid(head, shown ?? {}, "fill", who, end));
  }

  /** Anything else that goes to the server or comes from it, told in words. */
  told(who: string, arrow: "->" | "<-", text: string, via = ""): void {
    this.#write(`${who} ${via}${arrow} ${this.#names.inText(text, who)}`);
  }

  /** A notification reaches somebody. */
  heard(who: string, via: string, { method, params }: Json, eventId: string | undefined): void {
    const { _meta, ...rest } = isJson(params) ? params : {};
    const tag = isJson(_meta) ? _meta[SUBSCRIPTION_ID] : undefined;
    const meta = metaOf(_meta, [SUBSCRIPTION_ID]);
    const shown = meta === undefined ? rest : { ...rest, _meta: meta };
    const head = `${who} ${via}<- ${method}${tag === undefined ? "" : ` #${tag}`}`;
    const end = eventId === undefined ? "" : ` [id ${eventId}]`;
    this.#write(...this.#laid(head, shown, "fill", who, end));
  }

  /** An answer reaches somebody. `status` is that of HTTP, if there is one. */
  answered(who: string, via: string, status: string, method: string, message: Json, layout: Layout): void {
    const head = `${who} ${via}<- ${status}`.trimEnd();
    if (isJson(message.error)) {
      const { code, message: text, data } = message.error;
      const shown = `${head} error ${code} ${JSON.stringify(text)}`;
      this.#write(...this.#laid(shown, data ?? {}, "fill", who));
      return;
    }
    const whole = isJson(message.result) ? message.result : {};
    // Who the server is stands in every result of the era, and is told in this one.
    const { result, tag } = method === "server/discover" ? { result: whole, tag: undefined } : withoutEnvelope(whole);
    if (method === "tools/call") this.#toolResult(who, head, result);
    else if (method === "resources/read") this.#reading(who, head, result);
    else this.#write(...this.#laid(tag === undefined ? head : `${head} result #${tag}`, result, layout, who));
  }

  #toolResult(who: string, head: string, { content, structuredContent, isError, ...rest }: Json): void {
    const blocks = Array.isArray(content) ? content : [];
    const isText = blocks.length > 0 && blocks.every((block) => isJson(block) && block.type === "text");
    const texts = isText ? blocks.map((block) => (isJson(block) ? String(block.text) : "")) : [JSON.stringify(content)];
    const text = texts.join("\n");
    const word = isError === true ? "refused" : isError === undefined ? "" : `isError ${isError}`;
    const start = `${head} ${word}`.trimEnd();
    const end = Object.keys(rest).length === 0 ? "" : ` ${JSON.stringify(rest)}`;
    if (structuredContent === undefined) {
      if (text.includes("\n")) this.#write(...this.#block(`${start} as text${end}:`, text, who));
      else this.#write(this.#names.inText(`${start} as text: ${text}${end}`, who));
      return;
    }
    const inner = isError === true && isJson(structuredContent) ? (structuredContent.error ?? null) : structuredContent;
    this.#write(...this.#laid(start, inner, "fill", who, end));
    // Every result says the same as text, and perhaps what to do next; a stranger's words stand in a frame there.
    if (texts[0] === JSON.stringify(structuredContent)) {
      for (const hint of texts.slice(1)) this.#write(this.#names.inText(`${INDENT}and says: ${hint}`, who));
      return;
    }
    if (this.#showsFrames || !FRAMED.test(text)) this.#write(...this.#block(`${INDENT}and as text:`, text, who));
    else this.#write(`${INDENT}and as text, framed`);
  }

  #reading(who: string, head: string, { contents, ...rest }: Json): void {
    this.#write(Object.keys(rest).length === 0 ? head : `${head} ${JSON.stringify(rest)}`);
    for (const part of Array.isArray(contents) ? contents : []) {
      if (!isJson(part)) continue;
      const { text, ...about } = part;
      const title = `${INDENT}${JSON.stringify(about)}`;
      if (about.mimeType === "application/json")
        this.#write(...this.#laid(title, JSON.parse(String(text)), "fill", who));
      else this.#write(...this.#block(title, String(text), who));
    }
  }

  #block(head: string, text: string, who: string): string[] {
    return block(this.#names.inText(head, who), this.#names.inText(text, who));
  }

  #laid(head: string, value: Plain, layout: Layout, who: string, end = ""): string[] {
    const [named, clean] = [this.#names.inText(head, who), this.#names.in(value, who)];
    const isEmpty = isJson(clean) && Object.keys(clean).length === 0;
    const lines = isEmpty
      ? [named.endsWith("<-") ? `${named} {}` : named]
      : layout === "tree"
        ? tree(`${named} `, clean)
        : fill(named, clean);
    const last = lines.pop() ?? "";
    return [...lines, last + this.#names.inText(end, who)];
  }

  #write(...lines: string[]): void {
    this.lines.push(...lines);
  }
}

export function isJson(value: Plain | undefined): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What of a message's `_meta` is of its own; undefined if that is nothing. */
function metaOf(meta: Plain | undefined, told: readonly string[]): Json | undefined {
  if (!isJson(meta)) return undefined;
  const usual = [`${NS}protocolVersion`, `${NS}clientCapabilities`, ...told];
  const own = Object.entries(meta).filter(([key]) => !usual.includes(key) || hasMore(meta, key));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Capabilities are told if any is declared, a version if it is not the one that everybody speaks. */
function hasMore(meta: Json, key: string): boolean {
  const value = meta[key];
  if (key.endsWith("protocolVersion")) return value !== "2026-07-28";
  return key.endsWith("clientCapabilities") && isJson(value) && Object.keys(value).length > 0;
}

/** A modern result without what each of them says: that it is complete, who the server is, and what it belongs to. */
function withoutEnvelope(result: Json): { readonly result: Json; readonly tag?: Plain | undefined } {
  const { resultType, _meta, ...rest } = result;
  if (resultType !== "complete" || !isJson(_meta)) return { result };
  const { [`${NS}serverInfo`]: server, [SUBSCRIPTION_ID]: tag, ...others } = _meta;
  return server === undefined || Object.keys(others).length > 0 ? { result } : { result: rest, tag };
}

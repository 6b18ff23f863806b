/**
 * The HTTP side of the bridge: one request to the server, and the messages of its answer.
 *
 * This file owns connections, their failures and the watch over silent ones. It must never know what
 * a message means, and never repeat a request: whether that is harmless others know.
 */

import { BRIDGE_MESSAGE_CHARS_MAX, BRIDGE_SILENCE_MS_MAX } from "../client-limits.ts";
import { SseDecoder } from "../mcp/sse.ts";

/**
 * Why no answer, or not a whole one, came: the request cannot have reached the server; or the connection
 * was lost; or what came is no answer of an MCP server.
 */
export type FailureKind = "unreached" | "lost" | "unreadable";

export class UpstreamFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind) {
    super(`the answer of the server is missing: ${kind}`);
    this.kind = kind;
  }
}

/** One message of an answer. */
export interface Received {
  /** Its JSON text, on one line. Empty in an event that only carries an id. */
  readonly text: string;
  /** Of the event it came in; a stream that breaks off is resumed after it. */
  readonly id: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Whether the body is an event stream; else it is at most one message. */
  readonly isStream: boolean;
  /** To be read once. Throws `UpstreamFailure` when it breaks off; ends without one when the server has ended it. */
  readonly messages: AsyncIterable<Received>;
}

export interface UpstreamOptions {
  /** The endpoint. */
  readonly url: URL;
  /** What opens the server for every request that shows nothing else. */
  readonly accessToken: string | undefined;
  /** How long an open stream may be silent before it counts as lost, in milliseconds. */
  readonly silenceMs?: number | undefined;
}

/** Codes of failures before anything was sent. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ConnectionRefused",
]);

export class Upstream {
  readonly #options: UpstreamOptions;

  constructor(options: UpstreamOptions) {
    this.#options = options;
  }

  /** The server as it may be named in a message: without a path, which may be a secret, and without credentials. */
  get name(): string {
    return this.#options.url.origin;
  }

  /**
   * Sends one request.
   * @param bearer shown instead of the access token
   * @param signal gives up the request and its answer
   * @throws UpstreamFailure
   */
  async send(
    method: "POST" | "GET" | "DELETE",
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    { bearer, signal }: { readonly bearer?: string | undefined; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const credential = bearer ?? this.#options.accessToken;
    const giveUp = new AbortController();
    const onAbort = (): void => giveUp.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) giveUp.abort();
    let response: Response;
    try {
      response = await fetch(this.#options.url, {
        method,
        headers: {
          accept: "application/json, text/event-stream",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
        redirect: "error",
        signal: giveUp.signal,
        // A held call is silent for as long as the server holds it, and says so by its own limits.
        timeout: false,
      });
    } catch (problem) {
      signal.removeEventListener("abort", onAbort);
      throw new UpstreamFailure(NOT_CONNECTED.has(codeOf(problem)) ? "unreached" : "lost");
    }
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    const done = (): void => signal.removeEventListener("abort", onAbort);
    const messages = isStream ? this.#readStream(response, giveUp, done) : readOne(response, giveUp, done);
    return { status: response.status, headers: response.headers, isStream, messages };
  }

  /** Messages as they come. A stream says something every few seconds, if only that it is there: silence is a loss. */
  async *#readStream(response: Response, giveUp: AbortController, done: () => void): AsyncGenerator<Received> {
    const silenceMs = this.#options.silenceMs ?? BRIDGE_SILENCE_MS_MAX;
    let watch = setTimeout(() => giveUp.abort(), silenceMs);
    const decoder = new SseDecoder();
    const text = new TextDecoder();
    try {
      for await (const piece of response.body ?? []) {
        clearTimeout(watch);
        watch = setTimeout(() => giveUp.abort(), silenceMs);
        for (const frame of decoder.push(text.decode(piece, { stream: true }))) {
          if (frame.data === undefined) continue;
          yield { text: onOneLine(frame.data), id: frame.id };
        }
        if (decoder.pendingChars > BRIDGE_MESSAGE_CHARS_MAX) throw new UpstreamFailure("unreadable");
      }
    } catch (problem) {
      throw problem instanceof UpstreamFailure ? problem : new UpstreamFailure("lost");
    } finally {
      clearTimeout(watch);
      // Whoever stops reading early has no use for the rest.
      giveUp.abort();
      done();
    }
  }
}

async function* readOne(response: Response, giveUp: AbortController, done: () => void): AsyncGenerator<Received> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const piece of response.body ?? []) {
      text += decoder.decode(piece, { stream: true });
      if (text.length > BRIDGE_MESSAGE_CHARS_MAX) throw new UpstreamFailure("unreadable");
    }
  } catch (problem) {
    throw problem instanceof UpstreamFailure ? problem : new UpstreamFailure("lost");
  } finally {
    giveUp.abort();
    done();
  }
  if (text !== "") yield { text: onOneLine(text), id: undefined };
}

/** JSON needs no line breaks, and those of a text stand in it escaped: what is left are a proxy's. */
function onOneLine(json: string): string {
  return json.includes("\n") || json.includes("\r") ? json.replace(/[\r\n]+/g, " ") : json;
}

function codeOf(problem: unknown): string {
  return problem instanceof Error && "code" in problem && typeof problem.code === "string" ? problem.code : "";
}

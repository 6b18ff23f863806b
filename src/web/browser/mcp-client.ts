/**
 * An MCP client for one endpoint, of revision 2026-07-28: self-contained requests over HTTP, and the
 * MCP Events stream.
 *
 * This file owns what goes over the wire and how it may fail. It knows nothing of chats, and must
 * never throw: every failure is an outcome.
 */
import { isObject, type JsonObject, numberIn, objectIn, parseJson, textIn } from "./json.ts";
import { REQUEST_MS_MAX } from "./limits.ts";
import { SseReader } from "./sse-reader.ts";

const REVISION = "2026-07-28";
const META = "io.modelcontextprotocol/";

export type Failure =
  /** The tool says no. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly retryAfterMs: number }
  /** The credential is missing or not accepted. */
  | { readonly kind: "denied" }
  /** The server answers, with an error. */
  | { readonly kind: "failed"; readonly status: number; readonly message: string }
  /** No answer, or only that the server cannot serve now. */
  | { readonly kind: "unreachable"; readonly retryAfterMs: number };

export type Outcome<T = JsonObject> = { readonly kind: "ok"; readonly value: T } | Failure;

/** Why a stream is over. `ended`: it was open, and the server or the connection has closed it. */
export type StreamEnd = { readonly kind: "ended" } | Failure;

export interface McpClientOptions {
  readonly endpoint: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** What the server may show its operator. */
  readonly clientInfo: { readonly name: string; readonly version: string };
}

export class McpClient {
  /** Goes with every request as `Authorization: Bearer`. */
  credential: string | undefined;
  readonly #options: McpClientOptions;
  #lastId = 0;

  constructor(options: McpClientOptions) {
    this.#options = options;
  }

  /** Calls a tool. @returns its structured content */
  async callTool(name: string, args: JsonObject): Promise<Outcome> {
    const outcome = await this.request("tools/call", { name, arguments: args }, name);
    if (outcome.kind !== "ok") return outcome;
    const { isError, structuredContent } = outcome.value;
    const content = objectIn(structuredContent);
    if (isError !== true) return { kind: "ok", value: content };
    const error = objectIn(content.error);
    return {
      kind: "refused",
      code: textIn(error.code),
      message: textIn(error.message),
      retryAfterMs: numberIn(error.retry_after_ms) ?? 0,
    };
  }

  /** Sends one request and waits for its answer. @param name the value of `Mcp-Name`, for methods that have one */
  async request(method: string, params: JsonObject, name?: string): Promise<Outcome> {
    const id = ++this.#lastId;
    try {
      const response = await this.#post(id, method, params, name, AbortSignal.timeout(REQUEST_MS_MAX));
      const failure = await failureOf(response);
      if (failure !== undefined) return failure;
      return answerIn(await response.text(), response.headers.get("content-type") ?? "", id);
    } catch {
      return UNREACHABLE;
    }
  }

  /**
   * Holds a stream of events.
   * @param onMessage gets every JSON-RPC message of the stream in its order
   * @param signal ends the stream
   * @returns when the stream is over, why
   */
  async stream(params: JsonObject, onMessage: (message: JsonObject) => void, signal: AbortSignal): Promise<StreamEnd> {
    try {
      const response = await this.#post(++this.#lastId, "events/stream", params, undefined, signal);
      const failure = await failureOf(response);
      if (failure !== undefined) return failure;
      if (!isEventStream(response.headers.get("content-type")) || response.body === null) {
        const answer = answerIn(await response.text(), "", this.#lastId);
        return answer.kind === "ok" ? UNREACHABLE : answer;
      }
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const events = new SseReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return { kind: "ended" };
        const complete = events.push(decoder.decode(value, { stream: true }));
        if (complete === undefined) {
          await reader.cancel();
          return { kind: "ended" };
        }
        for (const data of complete) onMessage(objectIn(parseJson(data)));
      }
    } catch {
      return UNREACHABLE;
    }
  }

  #post(
    id: number,
    method: string,
    params: JsonObject,
    name: string | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": REVISION,
      "mcp-method": method,
    };
    if (name !== undefined) headers["mcp-name"] = name;
    if (this.credential !== undefined) headers.authorization = `Bearer ${this.credential}`;
    const _meta = {
      [`${META}protocolVersion`]: REVISION,
      [`${META}clientCapabilities`]: {},
      [`${META}clientInfo`]: this.#options.clientInfo,
    };
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta } });
    // No cookies, no cache, no redirect: a request goes to this server, as it is, or nowhere.
    return this.#options.fetch(this.#options.endpoint, {
      method: "POST",
      headers,
      body,
      signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  }
}

const UNREACHABLE: Failure = { kind: "unreachable", retryAfterMs: 0 };

/** What a status other than 200 means. */
async function failureOf(response: Response): Promise<Failure | undefined> {
  const { status } = response;
  if (status === 200) return undefined;
  const error = objectIn(objectIn(parseJson(await response.text())).error);
  if (status === 401) return { kind: "denied" };
  if (status === 429 || status >= 502) {
    return { kind: "unreachable", retryAfterMs: (Number(response.headers.get("retry-after")) || 0) * 1000 };
  }
  return { kind: "failed", status, message: textIn(error.message) };
}

/** The result in the body of an answer: JSON, or an event stream that ends with it. */
function answerIn(text: string, contentType: string, id: number): Outcome {
  const texts = isEventStream(contentType) ? (new SseReader().push(`${text}\n\n`) ?? []) : [text];
  const answer = texts.map(parseJson).find((message) => isObject(message) && message.id === id);
  const { result, error } = objectIn(answer);
  if (isObject(result)) return { kind: "ok", value: result };
  const { message, data } = objectIn(error);
  // MCP Events: whoever is not, or no longer, a user of the server.
  if (message === "Forbidden" && isObject(data)) return { kind: "denied" };
  return { kind: "failed", status: 200, message: textIn(message) };
}

function isEventStream(contentType: string | null): boolean {
  return contentType?.startsWith("text/event-stream") ?? false;
}

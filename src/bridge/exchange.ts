/**
 * One request of the client, carried to the server and answered, through failures: repeated while that
 * is harmless and the client has patience, and answered in the server's place when it is not.
 *
 * This file owns when a request is repeated. It must never know which era it belongs to beyond its
 * headers.
 */

import { BRIDGE_PATIENCE_MS } from "../client-limits.ts";
import { errorText, upstreamFailed } from "../mcp/errors.ts";
import { decodeText, type RpcRequest } from "../mcp/jsonrpc.ts";
import type { Era } from "../mcp/registry.ts";
import { awayAnswer, unreadableAnswer } from "./away.ts";
import { Backoff, type Clock } from "./patience.ts";
import { type Answer, type Upstream, UpstreamFailure } from "./upstream.ts";
import type { Visitor } from "./visitor.ts";

/** What every part of the bridge works with. */
export interface BridgeParts {
  readonly upstream: Upstream;
  readonly visitor: Visitor;
  readonly clock: Clock;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
  /** Writes one message to the client; resolves when there is room for the next. */
  write(json: string): Promise<void>;
  /** Tells the operator; nothing of a message, no secret. */
  warn(problem: string): void;
  /** What must not happen has happened: ends the bridge. */
  fail(bug: unknown): void;
}

/** How one attempt went. */
export type Attempt =
  /** The client has its answer, or asked to have none. */
  | "answered"
  /** The token of the environment is no good any more: without it the request may fare better. */
  | "again"
  /** The session is not known to the server any more; nothing was done. */
  | "session lost"
  /** The connection failed before the answer was complete. */
  | { readonly failed: UpstreamFailure };

/** The answer broke off; an event stream had come as far as this event. */
export interface Broken {
  readonly after: string | undefined;
}

/** Statuses of a server that is there but not yet, or of a proxy whose server is not. */
const AWAY_STATUSES: readonly number[] = [502, 503, 504];

/**
 * Sees a request through to its one answer.
 * @param attempt makes one attempt; writes the answer itself
 * @param renew called when the session was lost; false if there is none to be had
 */
export async function seeThrough(
  parts: BridgeParts,
  request: RpcRequest,
  era: Era,
  signal: AbortSignal,
  attempt: () => Promise<Attempt>,
  renew: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  const backoff = new Backoff(parts.clock, BRIDGE_PATIENCE_MS);
  let renewed = false;
  for (;;) {
    const outcome = await attempt().catch((problem: unknown): Attempt => ({ failed: asFailure(problem) }));
    if (outcome === "answered" || signal.aborted) return;
    if (outcome === "again") continue;
    let nothingDone = true;
    if (outcome !== "session lost") {
      const { kind } = outcome.failed;
      if (kind === "unreadable") {
        await parts.write(errorText(request.id, unreadableAnswer(parts.upstream.name)));
        return;
      }
      nothingDone = kind === "unreached";
      const mayRepeat = nothingDone || parts.visitor.isRepeatable(request, era);
      if (mayRepeat && (await backoff.wait(signal))) continue;
    } else if (!renewed) {
      renewed = await renew();
      if (renewed) continue;
    }
    if (!signal.aborted) await parts.write(awayAnswer(request, era, parts.upstream.name, nothingDone));
    return;
  }
}

/** A failure of the connection; anything else is a bug and goes on as it is. */
export function asFailure(problem: unknown): UpstreamFailure {
  if (problem instanceof UpstreamFailure) return problem;
  throw problem;
}

/** Whether an answer says that the server is away for the moment; nothing was done then. */
export function isAway({ status }: Answer): boolean {
  return AWAY_STATUSES.includes(status);
}

/**
 * Passes the answer to a request on, message by message.
 * @param onResponse sees the response before it is written: the text to write, or why the request is to be made again
 */
export async function relay(
  parts: BridgeParts,
  request: RpcRequest,
  answer: Answer,
  onResponse: (text: string) => { readonly write: string } | "again",
): Promise<Attempt | Broken> {
  if (isAway(answer)) return { failed: new UpstreamFailure("unreached") };
  let after: string | undefined;
  try {
    for await (const { text, id } of answer.messages) {
      after = id ?? after;
      if (answer.status !== 200) {
        // Who is not let in is told by the bridge, which knows what its user can do about it.
        const said = answer.status === 401 || answer.status === 403 ? undefined : withId(request, text);
        await parts.write(said ?? statusText(parts, request, answer.status));
        return "answered";
      }
      if (text === "") continue;
      if (!isMessage(text)) return { failed: new UpstreamFailure("unreadable") };
      if (!isResponseTo(request, text)) {
        await parts.write(text);
        continue;
      }
      const response = onResponse(text);
      if (response === "again") return "again";
      await parts.write(response.write);
      return "answered";
    }
  } catch (problem) {
    const failed = asFailure(problem);
    return failed.kind === "unreadable" ? { failed } : { after };
  }
  if (answer.status === 200) return { after };
  await parts.write(statusText(parts, request, answer.status));
  return "answered";
}

/** Says in the server's place why there is no response, where it gave none that could be passed on. */
function statusText(parts: BridgeParts, request: RpcRequest, status: number): string {
  const server = `The chat server at ${parts.upstream.name}`;
  const problem =
    status === 401 || status === 403
      ? `${server} does not let this bridge in: set MCP_CHAT_ACCESS_TOKEN where the bridge is started.`
      : `${server} answered with HTTP status ${status}.`;
  return errorText(request.id, upstreamFailed(problem));
}

/** An error of the server, which may have been unable to say what request it is about. Undefined for anything else. */
function withId(request: RpcRequest, text: string): string | undefined {
  const decoded = decodeText(text);
  if (decoded.kind !== "response" || !("error" in decoded.outcome)) return undefined;
  return JSON.stringify({ jsonrpc: "2.0", id: request.id, error: decoded.outcome.error });
}

/** Whether a text is a message at all: nothing else may reach the client. */
export function isMessage(text: string): boolean {
  return decodeText(text).kind !== "invalid";
}

function isResponseTo(request: RpcRequest, text: string): boolean {
  // Most of what is streamed is a notification, and need not be parsed to tell.
  if (!text.includes('"result"') && !text.includes('"error"')) return false;
  const decoded = decodeText(text);
  return decoded.kind === "response" && decoded.id === request.id;
}

/** A request as the text that is sent. */
export function textOf(request: RpcRequest): string {
  const { id, method, params } = request;
  return JSON.stringify({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) });
}

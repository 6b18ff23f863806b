/**
 * What is said to a client that comes back for an answer nobody has any more: the server that was to give it
 * is gone, or another one has the call. An error in place of the answer is better than waiting in vain.
 *
 * This file owns that error, and how a request's id stands in event ids. It must never tell anybody of a request but
 * whoever names it.
 */
import { EVENT_ID_REQUEST_CHARS_MAX } from "../limits.ts";
import { ANSWER_LOST, errorText } from "./errors.ts";
import type { FrameSource, Outlet } from "./frame-source.ts";
import { idText, isRequestId, type RequestId } from "./jsonrpc.ts";
import { encodeMessage } from "./sse.ts";

/** A request's id as it stands in event ids; "" if it is too long for them. */
export function writeRequest(id: RequestId): string {
  const text = Buffer.from(idText(id)).toString("base64url");
  return text.length <= EVENT_ID_REQUEST_CHARS_MAX ? text : "";
}

/** Reads what anybody may have written: it is told to nobody but them. */
export function readRequest(text: string): RequestId | undefined {
  try {
    const id: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    return isRequestId(id) && writeRequest(id) === text ? id : undefined;
  } catch (_notWrittenHere) {
    return undefined;
  }
}

/** The rest of a stream that nobody has any more: an error instead of the answer, and the end. */
export class LostAnswer implements FrameSource {
  readonly overrun = false;
  readonly request: RequestId;
  #frames: string;

  /** @param eventId of the error, which ends the stream like an answer: with this id there is nothing to resume */
  constructor(request: RequestId, eventId: string) {
    this.request = request;
    this.#frames = encodeMessage(errorText(request, ANSWER_LOST), eventId);
  }

  attach(outlet: Outlet): void {
    outlet.end();
  }

  pull(): string {
    const frames = this.#frames;
    this.#frames = "";
    return frames;
  }

  keepAlive(): string {
    return "";
  }

  closed(): void {
    // Nothing was kept.
  }
}

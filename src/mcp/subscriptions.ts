/**
 * `subscriptions/listen` (2026-07-28, Subscriptions): one long answer per request, which says what is
 * honoured, then that this or that is to be looked at again, and at last, if the server stops, that it
 * is over.
 *
 * This file owns these answers and how many of them a principal may have. It must never send a kind
 * of notification that was not asked for, nor keep a notice twice.
 */

import { LISTENS_PER_PRINCIPAL_MAX, URI_CHARS_MAX, WATCHED_RESOURCES_MAX } from "../limits.ts";
import type { Call } from "./call.ts";
import type { Envelope } from "./envelope.ts";
import { invalidParams, TOO_MANY_LISTENS, type WireError } from "./errors.ts";
import type { Outlet } from "./frame-source.ts";
import { isObject, notificationText, type RequestId, resultText } from "./jsonrpc.ts";
import { type MessageSource, SUBSCRIPTION_ID } from "./message-source.ts";
import type { Json, JsonObject, ListKind, ServerDefinition } from "./registry.ts";
import { requesterOf } from "./requester.ts";

/** The member of a filter that asks for changes of a list. */
const LIST_MEMBERS: Readonly<Record<ListKind, string>> = {
  tools: "toolsListChanged",
  prompts: "promptsListChanged",
  resources: "resourcesListChanged",
};
const LIST_KINDS: readonly ListKind[] = ["tools", "prompts", "resources"];

/** What a request asks for. */
interface Filter {
  readonly lists: ReadonlySet<ListKind>;
  /** Each once. */
  readonly uris: ReadonlySet<string>;
}

/** All open answers of a server. */
export class Listens {
  readonly #server: ServerDefinition;
  readonly #envelope: Envelope;
  readonly #open = new Set<Listening>();
  readonly #perPrincipal = new Map<string, number>();

  constructor(server: ServerDefinition, envelope: Envelope) {
    this.#server = server;
    this.#envelope = envelope;
  }

  /** `subscriptions/listen`. */
  listen(call: Call): MessageSource | WireError {
    const { params, id } = call.request;
    const filter = readFilter(params?.notifications);
    if ("code" in filter) return filter;
    if (call.streamRefusal !== undefined) return call.streamRefusal;
    const requester = requesterOf(call);
    const { principal } = this.#server;
    const who = principal === undefined ? call.bearer : principal.call(this.#server, requester);
    const count = who === undefined ? 0 : (this.#perPrincipal.get(who) ?? 0);
    if (count >= LISTENS_PER_PRINCIPAL_MAX) return TOO_MANY_LISTENS;

    const result = this.#envelope.complete({ _meta: { [SUBSCRIPTION_ID]: id } });
    const listening = new Listening(id, resultText(id, result), () => {
      this.#open.delete(listening);
      if (who !== undefined) this.#release(who);
    });
    this.#open.add(listening);
    if (who !== undefined) this.#perPrincipal.set(who, count + 1);
    for (const kind of filter.lists) {
      if (this.#server.listChanges?.kinds.includes(kind)) listening.follow(kind);
    }
    try {
      for (const uri of filter.uris) {
        const stop = this.#server.resources?.watch?.(uri, requester, () => listening.updated(uri));
        if (stop !== undefined) listening.watch(uri, stop);
      }
    } catch (bug) {
      // The dispatcher answers for it; what was begun must not stay behind.
      listening.closed();
      throw bug;
    }
    return listening;
  }

  /** A list of the server has changed. */
  announce(kind: ListKind): void {
    for (const listening of this.#open) listening.changed(kind);
  }

  #release(who: string): void {
    const left = (this.#perPrincipal.get(who) ?? 0) - 1;
    if (left > 0) this.#perPrincipal.set(who, left);
    else this.#perPrincipal.delete(who);
  }
}

/** Members of other names belong to extensions nobody here knows; they are not honoured. */
function readFilter(filter: Json | undefined): Filter | WireError {
  if (!isObject(filter)) return invalidParams("notifications must be an object.");
  const lists = new Set<ListKind>();
  for (const kind of LIST_KINDS) {
    const wanted = filter[LIST_MEMBERS[kind]];
    if (wanted === true) lists.add(kind);
    else if (wanted !== undefined && wanted !== false) return invalidParams(`${LIST_MEMBERS[kind]} must be a boolean.`);
  }
  const uris = new Set<string>();
  const subscriptions = filter.resourceSubscriptions ?? [];
  if (!Array.isArray(subscriptions)) return invalidParams("resourceSubscriptions must be an array of URIs.");
  if (subscriptions.length > WATCHED_RESOURCES_MAX) {
    return invalidParams(`resourceSubscriptions has at most ${WATCHED_RESOURCES_MAX} URIs.`);
  }
  for (const uri of subscriptions) {
    if (typeof uri !== "string" || uri.length > URI_CHARS_MAX) {
      return invalidParams(`resourceSubscriptions must be an array of URIs of at most ${URI_CHARS_MAX} characters.`);
    }
    uris.add(uri);
  }
  return { lists, uris };
}

/** One open answer. It goes out as fast as it is read; what waits is at most one notice of each kind. */
class Listening implements MessageSource {
  readonly #id: RequestId;
  readonly #result: string;
  readonly #freed: () => void;
  readonly #lists = new Set<ListKind>();
  /** How to stop watching, by URI. */
  readonly #watched = new Map<string, () => void>();
  readonly #waiting = new Set<string>();
  #outlet: Outlet | undefined;
  #acknowledged = false;
  #stopping = false;
  /** Nothing more is said: cancelled by the client, or the result is out. */
  #mute = false;

  /** @param freed called once nothing of it is needed any more */
  constructor(id: RequestId, result: string, freed: () => void) {
    this.#id = id;
    this.#result = result;
    this.#freed = freed;
  }

  // --- what is told -----------------------------------------------------------------------------

  follow(kind: ListKind): void {
    this.#lists.add(kind);
  }

  watch(uri: string, stop: () => void): void {
    this.#watched.set(uri, stop);
  }

  changed(kind: ListKind): void {
    if (this.#lists.has(kind)) this.#say(`notifications/${kind}/list_changed`, {});
  }

  updated(uri: string): void {
    if (this.#watched.has(uri)) this.#say("notifications/resources/updated", { uri });
  }

  #say(method: string, params: JsonObject): void {
    this.#waiting.add(this.#message(method, params));
    this.#outlet?.wake();
  }

  #message(method: string, params: JsonObject): string {
    return notificationText(method, { _meta: { [SUBSCRIPTION_ID]: this.#id }, ...params });
  }

  /** The first message: what of the request is honoured. */
  #acknowledgement(): string {
    const honoured: JsonObject = {};
    for (const kind of this.#lists) honoured[LIST_MEMBERS[kind]] = true;
    if (this.#watched.size > 0) honoured.resourceSubscriptions = [...this.#watched.keys()];
    return this.#message("notifications/subscriptions/acknowledged", { notifications: honoured });
  }

  // --- how it travels ---------------------------------------------------------------------------

  attach(outlet: Outlet): void {
    this.#outlet = outlet;
    // Nothing honoured, nothing to wait for: the client learns at once that it may close.
    if (this.#lists.size === 0 && this.#watched.size === 0) this.stop();
    else if (this.#stopping || this.#mute) outlet.end();
  }

  next(maxChars: number): readonly string[] {
    if (this.#mute) return [];
    const messages: string[] = [];
    if (!this.#acknowledged) {
      this.#acknowledged = true;
      messages.push(this.#acknowledgement());
    }
    let chars = 0;
    for (const message of this.#waiting) {
      if (chars >= maxChars) return messages;
      chars += message.length;
      messages.push(message);
      this.#waiting.delete(message);
    }
    if (this.#stopping) {
      messages.push(this.#result);
      this.#mute = true;
    }
    return messages;
  }

  heartbeat(): undefined {
    return undefined;
  }

  stop(): void {
    this.#stopping = true;
    this.#outlet?.end();
  }

  cancel(): void {
    this.#mute = true;
    this.#waiting.clear();
    this.#outlet?.end();
  }

  closed(): void {
    for (const stop of this.#watched.values()) stop();
    this.#watched.clear();
    this.#lists.clear();
    this.#waiting.clear();
    this.#outlet = undefined;
    this.#freed();
  }
}

/**
 * What a tab keeps over a reload: who this person is to the server, and the conversation.
 *
 * This file owns what lies in the tab's session storage, which ends with the tab. It must never use a
 * storage that two tabs share: two tabs are two people.
 */
import { INITIAL, type State } from "./conversation.ts";
import { isObject, parseJson } from "./json.ts";
import { STORED_CHARS_MAX } from "./limits.ts";
import { randomId } from "./random-id.ts";

/** Everything that is kept. */
export interface Session {
  /** A name for this person among the tabs of this browser. */
  readonly tabKey: string;
  /** The secret that the server gave out; without it, nobody yet. */
  readonly token: string | undefined;
  /** The public id. */
  readonly userId: string | undefined;
  /** Whether the server asked for an access token, which itself is never kept. */
  readonly isGuarded: boolean;
  /** Entered at the start. */
  readonly profile: Profile;
  readonly state: State;
}

export interface Profile {
  readonly name: string;
  readonly interests: string;
  readonly partnerKind: string;
}

/** The part of the Storage interface that is used. */
export interface TabStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const KEY = "mcp-chat";
const DRAFT_KEY = "mcp-chat draft";
/** Raised when `Session` changes its shape: what an older page has written is then left alone. */
const VERSION = 1;

/** For a tab that is nobody yet. */
export function newSession(): Session {
  return {
    tabKey: randomId(),
    token: undefined,
    userId: undefined,
    isGuarded: false,
    profile: { name: "", interests: "", partnerKind: "any" },
    state: INITIAL,
  };
}

/** What was kept; undefined if there is nothing, or nothing this version understands. */
export function loadSession(storage: TabStorage): Session | undefined {
  const stored = parseJson(storage.getItem(KEY) ?? "");
  if (!isObject(stored) || stored.version !== VERSION || !isObject(stored.session)) return undefined;
  // Written by `saveSession` of this version, in a storage that only this origin can reach.
  return stored.session as unknown as Session;
}

/**
 * Keeps the session. The oldest lines are left out where there are too many.
 * @returns whether it could be kept: a browser may refuse
 */
export function saveSession(storage: TabStorage, session: Session): boolean {
  try {
    storage.setItem(KEY, JSON.stringify({ version: VERSION, session: withinBound(session) }));
    return true;
  } catch {
    return false;
  }
}

export function clearSession(storage: TabStorage): void {
  storage.removeItem(KEY);
  storage.removeItem(DRAFT_KEY);
}

/** What is typed and not sent: kept apart, as it changes with every key. */
export function loadDraft(storage: TabStorage): string {
  return storage.getItem(DRAFT_KEY) ?? "";
}

/** @returns whether it could be kept */
export function saveDraft(storage: TabStorage, text: string): boolean {
  try {
    storage.setItem(DRAFT_KEY, text);
    return true;
  } catch {
    return false;
  }
}

function withinBound(session: Session): Session {
  const { lines } = session.state;
  let chars = 0;
  let from = lines.length;
  for (; from > 0; from--) {
    const line = lines[from - 1];
    if (line !== undefined && line.from !== "system") chars += line.text.length;
    if (chars > STORED_CHARS_MAX) break;
  }
  if (from === 0) return session;
  return { ...session, state: { ...session.state, lines: lines.slice(from), shortened: true } };
}

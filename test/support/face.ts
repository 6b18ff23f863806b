/**
 * Somebody who chats, whatever they chat with.
 *
 * This file owns the one interface of all faces. It must never know any of them.
 */

/** How a chat can end for whoever did not end it. */
export type End = "left" | "blocked" | "timeout";

/** Somebody who chats, one chat after the other. */
export interface Face extends AsyncDisposable {
  /** What partners are told they are called. */
  readonly name: string;
  /** What they cannot enter, each such piece with what comes of it. */
  readonly unenterable: readonly (readonly [piece: string, instead: string])[];
  /** Joins the queue. Nobody meets them but who names the same interest. */
  enter(interest: string): Promise<void>;
  /** Waits until they are told of a partner. @returns the partner's name */
  met(): Promise<string>;
  say(text: string): Promise<void>;
  /** Waits for so many messages of the partner's. @returns all of this chat, in the order shown */
  heard(count: number): Promise<string[]>;
  leave(): Promise<void>;
  /** Waits until they are told that the chat is over. */
  told(end: End): Promise<void>;
  /** What a stranger's text has done that no text may do, and what came twice. */
  mischief(): Promise<string[]>;
}

/** A face with all that a person has. */
export interface PersonFace extends Face {
  block(): Promise<void>;
  report(): Promise<void>;
  /** Waits until they see that they wait. */
  waits(): Promise<void>;
}

/** What cannot stand in a message where each line is one. */
export const LINE_BREAK = ["\n", " "] as const;
/** What output between pipes never holds: a terminal might obey it. */
export const ACTING = /[^\P{Cc}\n]/u;

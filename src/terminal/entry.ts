/**
 * One thing shown in the course of a chat, and in whose voice.
 *
 * This file owns the voices. It must never hold how they look.
 */

/** `system` and `problem` are this program's own words; `stranger` is somebody else's; `own` the user's. */
export type Voice = "system" | "problem" | "stranger" | "own";

export interface Entry {
  readonly voice: Voice;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What the stranger calls themselves; as untrusted as the text. */
  readonly name?: string;
  readonly text: string;
  /** Of a message of one's own. */
  readonly messageId?: string;
  readonly fate?: "pending" | "sent" | "failed";
}

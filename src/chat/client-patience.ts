/**
 * How long a tool call may take for the clients we know. Clients do not say, and one that gives up
 * first loses the answer, so an unknown client gets the shortest hold that suits everybody.
 *
 * This file owns the table and nothing else.
 */

/** The longest hold for a client nobody knows, in seconds. */
const UNKNOWN_SECONDS = 25;

/** By a part of the lower-cased client name; the first that fits counts, so narrower names come first. Seconds. */
const PATIENCE: readonly (readonly [name: string, seconds: number])[] = [
  ["claude-code", 300],
  ["claude code", 300],
  ["gemini-cli", 300],
  ["gemini cli", 300],
  ["jetbrains", 25],
  ["copilot-cli", 50],
  ["copilot cli", 50],
  ["visual studio code", 240],
  ["vscode", 240],
  ["cursor", 240],
  ["codex", 240],
  ["claude", 50],
  ["lm-studio", 50],
  ["lm studio", 50],
  ["lmstudio", 50],
  ["eclipse", 50],
];

/** The longest a call of this client may be held, in seconds. */
export function patienceOf(clientName: string | undefined): number {
  const name = clientName?.toLowerCase() ?? "";
  return PATIENCE.find(([part]) => name.includes(part))?.[1] ?? UNKNOWN_SECONDS;
}

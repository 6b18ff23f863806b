/**
 * How tests talk through a bridge: calls whose answers are told from what is said unasked.
 *
 * This file owns that telling apart. It must never drop a message: those before an answer are given back.
 */

import type { Said, StdioPipe } from "./stdio-pipe.ts";

/** The structured content of a tool's answer. */
export function contentOf(said: Said): Record<string, unknown> {
  return (said.result?.structuredContent ?? {}) as Record<string, unknown>;
}

/** Takes messages until one fits, and gives back those before it too. */
export async function until(
  pipe: StdioPipe,
  fits: (said: Said) => boolean,
): Promise<{ readonly said: Said; readonly before: readonly Said[] }> {
  const before: Said[] = [];
  for (;;) {
    const said = await pipe.said();
    if (fits(said)) return { said, before };
    before.push(said);
  }
}

/** Whether a message is this notification. */
export function isCalled(method: string): (said: Said) => boolean {
  return (said) => said.method === method;
}

/** Calls a tool in a legacy session. @returns the id of the request */
export function ask(pipe: StdioPipe, name: string, args: object = {}): string | number {
  return pipe.ask("tools/call", { name, arguments: args });
}

/** Calls a tool in a legacy session and waits for its answer; notifications before it are passed over. */
export async function tool(pipe: StdioPipe, name: string, args: object = {}): Promise<Record<string, unknown>> {
  const id = ask(pipe, name, args);
  return contentOf((await until(pipe, (one) => one.id === id)).said);
}

/** The same in the modern era. */
export async function modernTool(pipe: StdioPipe, name: string, args: object = {}): Promise<Record<string, unknown>> {
  const id = pipe.askModern("tools/call", { name, arguments: args });
  return contentOf((await until(pipe, (one) => one.id === id)).said);
}

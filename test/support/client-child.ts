/**
 * The near end of a client that runs in a process of its own.
 *
 * This file owns those processes: each is ended by its pid when the test that started it ends.
 */

import { join } from "node:path";
import { z } from "zod";
import type { Command } from "./client-child-main.ts";
import { DEADLINE_MS, within } from "./client-deadline.ts";
import type { ChatClient, ChatEvent, Flavour, Identity, Outcome } from "./client-flavours.ts";
import { CHECKOUT } from "./program.ts";

const MAIN = join(CHECKOUT, "test/support/client-child-main.ts");

const messageSchema = z.object({
  ready: z.literal(true).optional(),
  id: z.number().optional(),
  value: z.unknown().optional(),
  problem: z.string().optional(),
});

/** A chatting client whose process can be killed. */
export interface ClientProcess extends Pick<ChatClient, "flavour" | Command>, AsyncDisposable {
  /** Ends the process as a crash or a power cut would. */
  kill(): Promise<void>;
}

/** Starts an official client in a process of its own and waits until it is connected. */
export async function spawnClient(flavour: Flavour, url: string): Promise<ClientProcess> {
  const child = Bun.spawn([process.execPath, MAIN, flavour, url], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const ready = Promise.withResolvers<void>();
  const asked = new Map<number, { resolve(value: unknown): void; reject(problem: Error): void }>();
  const failAll = (problem: Error): void => {
    ready.reject(problem);
    for (const { reject } of asked.values()) reject(problem);
    asked.clear();
  };
  const errors = child.stderr.text();
  const reading = readLines(child.stdout, (line) => {
    const { ready: isReady, id, value, problem } = messageSchema.parse(JSON.parse(line));
    if (isReady) ready.resolve();
    const asker = asked.get(id ?? -1);
    asked.delete(id ?? -1);
    if (problem === undefined) asker?.resolve(value);
    else asker?.reject(new Error(problem));
  });
  reading.then(async () => failAll(new Error(`the ${flavour} process ended: ${await errors}`)), failAll);

  let last = 0;
  async function ask<T>(command: Command, argument?: unknown): Promise<T> {
    const id = ++last;
    const answer = new Promise<unknown>((resolve, reject) => asked.set(id, { resolve, reject }));
    child.stdin.write(`${JSON.stringify({ id, command, argument })}\n`);
    child.stdin.flush();
    // Sound as far as the other end is the program above, which answers with what the client answered.
    return (await within(`${flavour} process, ${command}`, answer, 2 * DEADLINE_MS)) as T;
  }

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await child.exited;
  }

  try {
    await within(`${flavour} process connects`, ready.promise);
  } catch (problem) {
    await kill();
    throw problem;
  }
  return {
    flavour,
    enter: (args) => ask<Outcome>("enter", args),
    send: (message) => ask<Outcome>("send", message),
    hear: () => ask<ChatEvent>("hear"),
    identity: () => ask<Identity>("identity"),
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

async function readLines(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
}

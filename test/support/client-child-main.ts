/**
 * A chatting client as a process of its own, which can be killed: commands come in as lines of JSON,
 * answers go out the same way. Arguments: flavour and URL.
 *
 * This file owns that process. It ends when its input does, so that it outlives nobody.
 */

import { createInterface } from "node:readline";
import { z } from "zod";
import { connect, FLAVOURS } from "./client-flavours.ts";

const COMMANDS = ["enter", "send", "hear", "identity"] as const;
export type Command = (typeof COMMANDS)[number];

const commandSchema = z.object({ id: z.number(), command: z.enum(COMMANDS), argument: z.unknown().optional() });

async function main(): Promise<void> {
  const [flavour, url = ""] = process.argv.slice(2);
  const client = await connect(z.enum(FLAVOURS).parse(flavour), url);
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, command, argument } = commandSchema.parse(JSON.parse(line));
    const answer =
      command === "enter"
        ? client.enter(z.record(z.string(), z.unknown()).optional().parse(argument))
        : command === "send"
          ? client.send(z.string().parse(argument))
          : client[command]();
    // Not awaited here: a client may be told to speak while it listens.
    answer.then(
      (value) => say({ id, value }),
      (problem: unknown) => say({ id, problem: String(problem) }),
    );
  }
  process.exit(0);
}

function say(message: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

if (import.meta.main) await main();

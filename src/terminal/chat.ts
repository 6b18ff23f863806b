/**
 * `mcp-chat chat`: the terminal client for a person, on a screen or, where there is none, line by line.
 *
 * This file owns which of the two it is, and the way in. It must never show the session token.
 */

import { systemClock } from "../client/clock.ts";
import { Conversation } from "../client/conversation.ts";
import type { Happening, Wishes } from "../client/happening.ts";
import type { ClientConfig } from "../client-settings.ts";
import { PlainFace } from "./plain-face.ts";
import { ScreenFace } from "./screen-face.ts";
import { complain, EXIT, goodbye } from "./standard-streams.ts";

/** What both faces can do. */
interface Face {
  heard(happening: Happening): void;
  /** Runs until the person ends it. @returns the exit code */
  run(): Promise<number>;
}

/** Chats until the person leaves. @returns the exit code */
export async function runChat(
  config: ClientConfig,
  version: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const wishes: Wishes = { ...config, kind: "human" };
  let face: Face | undefined;
  const conversation = new Conversation(
    {
      endpoint: config.endpoint,
      accessToken: config.accessToken,
      client: { name: "mcp-chat-terminal", version },
      clock: systemClock,
    },
    (happening) => face?.heard(happening),
  );

  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true && env.TERM !== "dumb";
  const begin = { conversation, wishes, code: config.code };
  face = isTerminal && !config.plain ? new ScreenFace({ ...begin, hasColours: hasColours(env) }) : new PlainFace(begin);
  // A server that is not there is said on the ordinary screen, where it can be read afterwards.
  const fault = await conversation.open();
  if (fault !== undefined) {
    complain(fault.message);
    return EXIT.failed;
  }
  const code = await face.run();
  await goodbye(conversation.close(true));
  return code;
}

/** https://no-color.org: any value but the empty one. */
function hasColours(env: Readonly<Record<string, string | undefined>>): boolean {
  return env.NO_COLOR === undefined || env.NO_COLOR === "";
}

/**
 * The chat as one value: what the tools share.
 *
 * This file owns nothing but the bundle, and must stay free of behaviour.
 */
import type { History } from "../history/history.ts";
import type { LobbyHost } from "./lobby-host.ts";
import type { Texts } from "./texts.ts";
import type { Typing } from "./typing.ts";
import type { Waits } from "./waits.ts";

export interface Chat {
  readonly host: LobbyHost;
  readonly waits: Waits;
  readonly typing: Typing;
  readonly texts: Texts;
  /** What is kept beyond the lobby's memory, if anything is. */
  readonly history: History | undefined;
}

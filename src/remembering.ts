/**
 * The history of a running server: what it hears of, and when it is to catch up.
 *
 * This file owns that wiring. It is loaded only where there is a history; it must never end the process: it
 * says why it should.
 */
import { join } from "node:path";
import type { ChatServer } from "./chat/server.ts";
import type { Config } from "./config.ts";
import { SqlHistory } from "./history/history.ts";
import { HISTORY_LOST_NODE_MS } from "./history-limits.ts";
import type { Log } from "./log.ts";

export interface Remembering {
  readonly history: SqlHistory;
  /** Has everything written down from now on. To be called before anything happens. */
  record(chat: ChatServer): void;
  /** Has written what a life before may have left unwritten. To be called when the lobby is as it was left. */
  catchUp(chat: ChatServer): void;
}

/** Of the file, in the folder of all data. */
const FILE = "history.db";

/** Opens the history that was asked for, if one was. @throws HistoryFault in words for the operator */
export async function remember(
  { history: asked, data, retainDays }: Config,
  log: Log,
): Promise<Remembering | undefined> {
  const place = asked ?? (data === undefined ? undefined : { kind: "sqlite" as const, path: join(data, FILE) });
  if (place === undefined || place.kind === "off") return undefined;
  const history = await SqlHistory.open({ place, retainDays, log });
  return {
    history,
    record({ host, node }) {
      history.record(host);
      // What happened while this server was cut off from the others, nobody may have written.
      node?.onCut(() => history.catchUp(HISTORY_LOST_NODE_MS));
    },
    catchUp({ host }) {
      if (host.isLeading && host.lobby.rooms.size > 0) history.catchUp();
    },
  };
}

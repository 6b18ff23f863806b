/**
 * What of the program's settings are rules of the chat, and what limits of addresses at its edge.
 *
 * This file owns that selection. It must never know where settings come from.
 */
import type { Config } from "./config.ts";
import type { LobbySettings } from "./domain/command.ts";
import type { AddressLimitOptions } from "./http/address-limits.ts";

export function lobbySettings(config: Config): LobbySettings {
  return {
    graceMs: config.graceMs,
    idleMs: config.idleMs,
    availableMs: config.availableMs,
    widenMs: config.widenMs,
    matching: config.matching,
    rates: {
      messages: { perSecond: config.rateMessagesPerSecond, burst: config.rateMessagesBurst },
      entries: { perSecond: config.rateEntriesPerSecond, burst: config.rateEntriesBurst },
      joins: { perSecond: config.rateJoinsPerMinute / 60, burst: config.rateJoinsBurst },
      reports: { perSecond: config.rateReportsPerHour / 3600, burst: config.rateReportsBurst },
    },
    usersPerAddress: config.usersPerAddress,
    loopMessagesMax: config.loopMessagesMax,
    retainUserMs: config.retainUserMs,
    usersMax: config.usersMax,
    queueMax: config.queueMax,
    mailboxBytesMax: config.mailboxBytesMax,
    transcriptBytesMax: config.transcriptBytesMax,
  };
}

export function addressLimits(config: Config): AddressLimitOptions {
  return {
    sessionsPerMinute: config.rateSessionsPerMinute,
    sessionsBurst: config.rateSessionsBurst,
    streams: config.streamsPerAddress,
  };
}

/**
 * What happens as single lines of text, without one escape sequence: for pipes, logs and screen readers.
 *
 * This file owns the form of those lines. Each begins with a mark that only this file sets, and nothing a
 * stranger writes can begin another line.
 */

import type { ChatEvent } from "../client/wire.ts";
import type { Entry } from "./entry.ts";
import { oneLine } from "./safe-text.ts";

const MARKS = { system: "*", problem: "!", stranger: "<", own: ">" };

/** An entry on one line: the time, whose voice it is, and the words. */
export function plainLine({ at, voice, name, text }: Entry): string {
  const date = new Date(at);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0"));
  const said = name === undefined ? oneLine(text) : `${oneLine(name)}: ${oneLine(text)}`;
  return `${time.join(":")} ${MARKS[voice]} ${said}`;
}

/** An event on one line: its time, its name, and what a person wants to know of it. */
export function eventLine(event: ChatEvent): string {
  return [oneLine(event.timestamp), event.name, oneLine(detailOf(event))].join(" ").trimEnd();
}

function detailOf(event: ChatEvent): string {
  switch (event.name) {
    case "chatroom.found":
      return `${event.room.partner.kind} ${event.room.partner.displayName}`;
    case "message.received":
      return `${event.sender.displayName}: ${event.message}`;
    case "partner.disconnected":
      return event.reason;
    case "server.announcement":
      return event.message;
    case "partner.away":
    case "partner.back":
    case "partner.typing":
      return "";
  }
}

/** An event as a program reads it: one JSON object, on one line. */
export function eventJson({ eventId, name, timestamp, data, cursor }: ChatEvent): string {
  const json = JSON.stringify({ event_id: eventId ?? null, name, timestamp, data, cursor: cursor ?? null });
  // JSON lets through what a terminal obeys and what ends a line elsewhere; escaped it means the same.
  return json.replace(ACTING, escaped);
}

const ACTING = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu;

/** A character as JSON escapes it, in one or two units. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

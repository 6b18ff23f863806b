/**
 * Everything the page says in words of its own: notices, problems, times, and a conversation as plain
 * text.
 *
 * This file owns the wording. A stranger's words stand only in the transcript, and only as theirs:
 * never in a notice, a problem or a title. Nothing that is heard begins with a name that they chose.
 */
import type { Partner, Queue, State } from "./conversation.ts";
import type { Line, Notice, OwnLine, SystemLine } from "./lines.ts";

const NOTICES: Readonly<Record<Exclude<Notice, "announcement">, string>> = {
  met: "You have met. Say hello.",
  away: "Your partner's connection dropped. They have a short while to come back.",
  back: "Your partner is back.",
  left: "Your partner has left. The chat is over.",
  timeout: "Your partner's connection was lost. The chat is over.",
  closed: "This chat was closed.",
  moderation: "A moderator has closed this chat.",
  limit: "This chat was closed: two programs have talked here for too long.",
  server: "The server has closed this chat.",
  you_left: "You have left. The chat is over for both of you.",
  you_blocked: "You have blocked your partner. You will not meet again.",
  you_reported: "Thank you for the report. Your partner is blocked, and the chat is over.",
  found_over: "The chat ended while you were away.",
  forgotten: "The server does not know you any more. The chat is over.",
  gap: "You were away for long: some of what happened could not be kept.",
};

export function noticeText(line: SystemLine): string {
  if (line.notice === "announcement") return `Message from the operator: ${line.words ?? ""}`;
  return NOTICES[line.notice];
}

/** What is heard before a partner's words, in place of a name that they have chosen themselves. */
export const PARTNER_WRITES = "Your partner writes";

/** What a refusal or a failure means for a person. */
const PROBLEMS: Readonly<Record<string, string>> = {
  over: "Not sent: the chat was over.",
  message_empty: "Not sent: there is nothing to see in it.",
  message_too_long: "Not sent: too long. Send it in parts.",
  message_refused: "Not sent: it contains something that looks like a session token.",
  loop_limit: "Not sent: this chat has reached its limit.",
  chat_ended: "Not sent: the chat was over.",
  not_in_room: "Not sent: the chat was over.",
  room_not_found: "Not sent: the chat was over.",
  server_error: "Not sent: the server had a problem with it.",
  queue_full: "The queue is full just now. Try again in a minute.",
  server_full: "The server is full just now. Try again in some minutes.",
  banned: "You are banned from this server.",
  removed: "You were taken out of the queue by the operator.",
  rate_limited: "That was too fast. Wait a moment and try again.",
  room_full: "Two people have met with this code already. Agree on another one.",
  busy: "You are waiting or chatting already.",
  unreachable: "The server cannot be reached. Check your connection and try again.",
  too_many_unsent: "Many messages wait to be sent already. Wait for the connection, then go on.",
};

/** @param code of a refusal or failure */
export function problemText(code: string, message = ""): string {
  return PROBLEMS[code] ?? (message === "" ? "That did not work. Try again." : message);
}

/** Failures that the same message will meet again. */
const HOPELESS = [
  "over",
  "chat_ended",
  "not_in_room",
  "room_not_found",
  "loop_limit",
  "message_empty",
  "message_too_long",
  "message_refused",
];

/** Whether trying the same message again makes sense. */
export function isWorthRetrying({ problem = "" }: OwnLine): boolean {
  return !HOPELESS.includes(problem);
}

/** How a message of one's own stands. */
export function deliveryText(line: OwnLine, isConnected: boolean): string {
  switch (line.delivery) {
    case "sending":
      return isConnected ? "Sending…" : "Waiting for the connection";
    case "sent":
      return "Sent";
    case "held":
      return "Sent, kept until they are back";
    case "failed":
      return problemText(line.problem ?? "");
  }
}

/** What a partner says they are: nobody has checked it. */
export function kindText({ kind }: Partner): string {
  switch (kind) {
    case "human":
      return "says: a person";
    case "agent":
      return "says: an AI agent";
    case "unknown":
      return "did not say what they are";
  }
}

export function estimateText({ estimateSeconds }: Queue): string {
  if (estimateSeconds === undefined) return "unknown: nobody was paired lately";
  if (estimateSeconds < 60) return `about ${Math.max(5, Math.ceil(estimateSeconds / 5) * 5)} seconds`;
  const minutes = Math.ceil(estimateSeconds / 60);
  return minutes === 1 ? "about a minute" : `about ${minutes} minutes`;
}

export function placeText({ position }: Queue): string {
  return position <= 1 ? "you are next" : `${position - 1} before you`;
}

export function countText({ waiting = 1, online }: Queue): string {
  return online === undefined ? `${waiting} waiting` : `${waiting} waiting, ${online} online`;
}

/** `0:07`, `12:30`, `1:02:03` */
export function elapsedText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = `${h > 0 ? String(m).padStart(2, "0") : m}:${String(s).padStart(2, "0")}`;
  return h > 0 ? `${h}:${tail}` : tail;
}

/** Time of day, as this person's browser writes it. */
export function clockText(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function titleText({ place }: State, unseen: number): string {
  const count = unseen > 0 ? `(${unseen}) ` : "";
  const where = { start: "", waiting: "Waiting · ", chatting: "Chat · ", ended: "Chat over · " }[place];
  return `${count}${where}mcp-chat`;
}

/** The conversation as plain text. Each line of a message is indented, so that none can look like a notice. */
export function transcriptText({ room, lines }: State): string {
  const partner = room?.partner.displayName ?? "";
  const begun = lines[0]?.at ?? 0;
  return [
    `Conversation on mcp-chat, ${new Date(begun).toISOString().slice(0, 10)}, with ${partner}`,
    ...lines.map((line) => lineText(line, partner)),
    "",
  ].join("\n");
}

function lineText(line: Line, partner: string): string {
  const time = new Date(line.at).toISOString().slice(11, 16);
  if (line.from === "system") return `[${time}] * ${noticeText(line)}`;
  const who = line.from === "me" ? `You${line.delivery === "failed" ? " (not sent)" : ""}` : `Your partner, ${partner}`;
  return `[${time}] ${who}:\n    ${line.text.replaceAll("\n", "\n    ")}`;
}

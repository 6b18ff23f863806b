/**
 * Answers of the operator's surface, for people: tables, and a report to be read.
 *
 * This file owns that layout. Every text of an answer is made visible first, whoever it is of, and what
 * strangers wrote is marked as theirs.
 */
import type { View } from "./command.ts";
import { visibleBlock, visibleLine } from "./visible.ts";

type Fields = Readonly<Record<string, unknown>>;
type Column = readonly [heading: string, cell: (item: Fields) => string];

/** Lines for a terminal. */
export function showAnswer(view: View, answer: Fields): string[] {
  switch (view) {
    case "reports":
      return table(itemsOf(answer, "reports"), REPORT_COLUMNS, "no reports");
    case "bans":
      return table(itemsOf(answer, "bans"), BAN_COLUMNS, "no bans");
    case "rooms":
      return table(itemsOf(answer, "rooms"), ROOM_COLUMNS, "no open rooms");
    case "audit":
      return table(itemsOf(answer, "audit"), AUDIT_COLUMNS, "nothing was done yet");
    case "report":
      return showReport(answer);
    case "ban":
      return [`banned: ${word(answer.ban_id)}, ${expiry(answer)}`];
    case "told":
      return [`told: ${word(answer.told)}`];
    case "user":
    case "summary":
      return showFields(answer);
    case "done":
      return ["done"];
    case "lines":
      // They are never held as a whole: whoever asked for them has them already.
      return [];
  }
}

// --- tables ---------------------------------------------------------------------------------------

const REPORT_COLUMNS: readonly Column[] = [
  ["REPORT", (item) => word(item.report_id)],
  ["WHEN", (item) => word(item.created_at)],
  ["CATEGORY", (item) => word(item.category)],
  ["STATE", (item) => (item.resolved_at === null ? "open" : "resolved")],
  ["REPORTED", (item) => word(fieldsOf(item.reported).user_id)],
  ["BY", (item) => word(fieldsOf(item.reporter).user_id)],
];

const BAN_COLUMNS: readonly Column[] = [
  ["BAN", (item) => word(item.ban_id)],
  ["SINCE", (item) => word(item.created_at)],
  ["ENDS", (item) => (item.expires_at === null ? "never" : word(item.expires_at))],
  ["USER", (item) => word(item.user_id ?? "-")],
  ["ADDRESS", (item) => word(item.address ?? "-")],
  ["NOTE", (item) => word(item.note ?? "")],
];

const ROOM_COLUMNS: readonly Column[] = [
  ["ROOM", (item) => word(item.room_id)],
  ["SINCE", (item) => word(item.created_at)],
  ["MESSAGES", (item) => word(item.messages)],
  [
    "MEMBERS",
    (item) =>
      listOf(item.members)
        .map((member) => word(fieldsOf(member).user_id))
        .join(" "),
  ],
];

const AUDIT_SHOWN_ELSEWHERE = ["number", "at", "act", "done"];

const AUDIT_COLUMNS: readonly Column[] = [
  ["NO", (item) => word(item.number)],
  ["WHEN", (item) => word(item.at)],
  ["ACT", (item) => word(item.act)],
  ["DONE", (item) => (item.done === true ? "yes" : "in vain")],
  [
    "WHAT",
    (item) =>
      Object.entries(item)
        .filter(([key, value]) => !AUDIT_SHOWN_ELSEWHERE.includes(key) && value !== null)
        .map(([key, value]) => `${word(key)}=${word(value)}`)
        .join(" "),
  ],
];

function table(items: readonly Fields[], columns: readonly Column[], empty: string): string[] {
  if (items.length === 0) return [empty];
  const rows = [columns.map(([heading]) => heading), ...items.map((item) => columns.map(([, cell]) => cell(item)))];
  const widths = columns.map((_column, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

// --- single things --------------------------------------------------------------------------------

function showReport(report: Fields): string[] {
  const state = report.resolved_at === null ? "open" : `resolved ${word(report.resolved_at)}`;
  const address = report.reported_address === null ? "" : ` at ${word(report.reported_address)}`;
  const messages = listOf(report.messages).map(fieldsOf);
  return [
    `report    ${word(report.report_id)}`,
    `when      ${word(report.created_at)}`,
    `category  ${word(report.category)}`,
    `state     ${state}`,
    ...(report.note === null ? [] : [`note      ${word(report.note)}`]),
    `room      ${word(report.room_id)}`,
    `reported  ${person(report.reported)}${address}`,
    `by        ${person(report.reporter)}`,
    ...(report.details === null
      ? []
      : ["", "what the reporter says (words of a stranger):", ...visibleBlock(text(report.details))]),
    "",
    messages.length === 0 ? "no messages were kept" : "what was said (words of strangers):",
    ...messages.flatMap((message) => [
      `${word(message.seq)}  ${word(message.timestamp)}  ${word(message.from)}`,
      ...visibleBlock(text(message.message)),
    ]),
  ];
}

/** A person with the name they chose, in quotes, as it is a stranger's. */
function person(value: unknown): string {
  const { user_id: userId, display_name: name, kind } = fieldsOf(value);
  return `${word(userId)} (${word(kind)}) who goes by "${word(name)}"`;
}

function showFields(fields: Fields): string[] {
  const width = Math.max(...Object.keys(fields).map((key) => key.length));
  return Object.entries(fields).map(([key, value]) => {
    const shown = Array.isArray(value) ? value.map(word).join(" ") : word(value ?? "-");
    return `${word(key).padEnd(width)}  ${key === "display_name" ? `"${shown}"` : shown}`.trimEnd();
  });
}

function expiry({ expires_at: at }: Fields): string {
  return at === null ? "until it is lifted" : `until ${word(at)}`;
}

// --- reading what came ----------------------------------------------------------------------------

function itemsOf(answer: Fields, name: string): Fields[] {
  return listOf(answer[name]).map(fieldsOf);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

/** Any value on one line, safe to print. */
function word(value: unknown): string {
  return visibleLine(text(value));
}

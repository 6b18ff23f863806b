/**
 * One command of `mcp-chat admin`, carried out: asks the server and shows its answer.
 *
 * This file owns the exchange and the exit code. It must never print the token, nor send it anywhere but
 * to the server that was named.
 */
import { readFileSync } from "node:fs";
import { ADMIN_ANSWER_BYTES_MAX, ADMIN_PAGE_ITEMS_MAX, ADMIN_PATIENCE_MS_MAX } from "../limits.ts";
import { bearerToken } from "../setting-kinds.ts";
import type { AdminCommand } from "./command.ts";
import { Patience, passOn } from "./flow.ts";
import { showAnswer } from "./tables.ts";
import { visibleLine } from "./visible.ts";

/** Where the answer goes: whole lines, without their line breaks. */
export interface Output {
  out(line: string): void;
  err(line: string): void;
  /** Text as it is, line breaks included; resolves when there is place for more. */
  pour(text: string): Promise<void>;
}

type Fields = Record<string, unknown>;

/** What a server gave, or one line that says why it gave nothing. */
type Answer = { readonly ok: true; readonly fields: Fields } | { readonly ok: false; readonly problem: string };

/** @returns the exit code: 0 done, 1 not done, 2 the token file cannot be used */
export async function runAdmin(command: AdminCommand, output: Output): Promise<number> {
  const token = command.token ?? readTokenFile(command.tokenFile ?? "");
  if (token === undefined) {
    output.err("mcp-chat: the token file cannot be read, or does not hold one token");
    return 2;
  }
  if (command.view === "lines") return pourAll(command, token, output);
  const answer = await askAll(command, token);
  if (!answer.ok) {
    output.err(`mcp-chat: ${visibleLine(answer.problem)}`);
    return 1;
  }
  // JSON escapes what a terminal would obey, but for the characters beyond ASCII.
  if (command.json) output.out(escapeUnseen(JSON.stringify(answer.fields)));
  else for (const line of showAnswer(command.view, answer.fields)) output.out(line);
  if (!command.json && typeof answer.fields.next_cursor === "string") {
    output.err(`mcp-chat: there are more; --limit shows more than ${command.limit}`);
  }
  return 0;
}

function readTokenFile(path: string): string | undefined {
  try {
    return bearerToken.read(readFileSync(path, "utf8").trim());
  } catch (_unreadable) {
    return undefined;
  }
}

/** Asks until as many items of a list have come as are wanted; for anything else, once. */
async function askAll(command: AdminCommand, token: string): Promise<Answer> {
  const { view, limit } = command;
  if (view !== "reports" && view !== "bans" && view !== "rooms" && view !== "audit") return ask(command, token, "");
  const items: unknown[] = [];
  let cursor: unknown = null;
  do {
    const wanted = Math.min(limit - items.length, ADMIN_PAGE_ITEMS_MAX);
    const separator = command.path.includes("?") ? "&" : "?";
    const page = `${separator}limit=${wanted}${typeof cursor === "string" ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;
    const answer = await ask(command, token, page);
    if (!answer.ok) return answer;
    const more = answer.fields[view];
    if (!Array.isArray(more)) return { ok: false, problem: "the server's answer is not what it should be" };
    items.push(...more);
    cursor = more.length === 0 ? null : (answer.fields.next_cursor ?? null);
  } while (cursor !== null && items.length < limit);
  return { ok: true, fields: { [view]: items, next_cursor: cursor } };
}

/** Passes lines on as they come. */
async function pourAll(command: AdminCommand, token: string, output: Output): Promise<number> {
  const patience = new Patience();
  let problem: string | undefined;
  try {
    const response = await request(command, token, "", patience.signal);
    if (response.ok) problem = await passOn(response, (text) => output.pour(text), escapeUnseen, patience);
    else problem = problemOf(response.status, readFields((await readAnswer(response)) ?? ""));
  } catch (_unreachable) {
    problem = `${command.url} does not answer`;
  } finally {
    patience.end();
  }
  if (problem === undefined) return 0;
  output.err(`mcp-chat: ${visibleLine(problem)}`);
  return 1;
}

function request(
  { url, method, path, body }: AdminCommand,
  token: string,
  page: string,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(`${url}${path}${page}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    // Wherever a server points, the token stays here.
    redirect: "error",
    signal,
  });
}

async function ask(command: AdminCommand, token: string, page: string): Promise<Answer> {
  const { url } = command;
  let response: Response;
  let text: string | undefined;
  try {
    response = await request(command, token, page, AbortSignal.timeout(ADMIN_PATIENCE_MS_MAX));
    text = await readAnswer(response);
  } catch (_unreachable) {
    return { ok: false, problem: `${url} does not answer` };
  }
  const fields = text === undefined ? undefined : readFields(text);
  if (response.ok && fields !== undefined) return { ok: true, fields };
  return { ok: false, problem: problemOf(response.status, fields) };
}

async function readAnswer(response: Response): Promise<string | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength;
    if (bytes > ADMIN_ANSWER_BYTES_MAX) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function readFields(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : undefined;
  } catch (_notJson) {
    return undefined;
  }
}

function problemOf(status: number, fields: Fields | undefined): string {
  const error: unknown = fields?.error;
  const isOurs = typeof error === "object" && error !== null && "code" in error && typeof error.code === "string";
  if (isOurs && "message" in error && typeof error.message === "string") return error.message;
  if (status === 404) return "this server has no operator's surface: it runs without an admin token";
  return `the server answered with HTTP status ${status}`;
}

function escapeUnseen(json: string): string {
  return json.replace(/[^\n -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

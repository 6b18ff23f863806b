/**
 * Cell sheets: one request and what it must be answered with, per row.
 *
 * This file owns how a cell is sent and what is expected of its answer. It must never know a server.
 */

import { describe, expect, test } from "bun:test";
import { JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { POST_HEADERS } from "./http-fixture.ts";

export interface Cell {
  readonly name: string;
  readonly method?: string;
  readonly url?: string;
  /** JSON, or text or bytes as they are. */
  readonly body?: unknown;
  /** Beside those of a correct POST. An empty value takes a header away. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** The code of the JSON-RPC error; undefined = no error. */
  readonly code?: number;
  /** The id in the body; undefined = there must be none. */
  readonly id?: string | number;
  /** Header fields of the answer. */
  readonly answers?: Readonly<Record<string, string | null>>;
  /** Words the message must have. */
  readonly says?: string;
  readonly empty?: true;
}

/** Groups of cells by name. */
export type Sheet = Readonly<Record<string, readonly Cell[]>>;

/** The same request with other headers. An empty value takes a header away. */
export function withHeaders<T extends { headers: Record<string, string> }>(
  sent: T,
  headers: Record<string, string>,
): T {
  return { ...sent, headers: { ...sent.headers, ...headers } };
}

async function send(cell: Cell, url: string): Promise<Response> {
  const method = cell.method ?? "POST";
  const defaults = method === "GET" ? { accept: "text/event-stream" } : POST_HEADERS;
  const headers = new Headers({ ...defaults });
  for (const [name, value] of Object.entries(cell.headers ?? {})) {
    if (value === "") headers.delete(name);
    else headers.set(name, value);
  }
  const { body } = cell;
  const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
  return fetch(cell.url ?? url, { method, headers, body: raw ? (body ?? null) : JSON.stringify(body) });
}

/**
 * Makes a test of every cell.
 * @param url where cells go that name no place of their own
 */
export function testSheet(sheet: Sheet, url: string): void {
  for (const [group, cells] of Object.entries(sheet)) {
    describe(group, () => {
      test.each(cells.map((cell) => [cell.name, cell] as const))("%s", async (_name, cell) => {
        const response = await send(cell, url);
        const text = await response.text();
        expect({ status: response.status, text }).toMatchObject({ status: cell.status });
        for (const [name, value] of Object.entries(cell.answers ?? {})) {
          expect([name, response.headers.get(name)]).toEqual([name, value]);
        }
        if (cell.empty) {
          expect(text).toBe("");
          return;
        }
        expect(response.headers.get("content-type")).toStartWith("application/json");
        const body = JSON.parse(text);
        if (cell.url?.endsWith("/healthz")) {
          expect(body.status).toBe("ok");
          return;
        }
        expect(Object.hasOwn(body, "id") ? body.id : undefined).toBe(cell.id);
        expect(body.error?.code).toBe(cell.code);
        if (cell.says !== undefined) expect(body.error.message).toContain(cell.says);
        if (cell.id !== undefined) JSONRPCMessageSchema.parse(body);
      });
    });
  }
}

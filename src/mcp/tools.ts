/**
 * Tools, as far as both eras share them: listing them, finding and calling one, and what each
 * revision may see of its description and its result.
 *
 * This file owns which tool fields a revision knows. It must never validate a tool's arguments: the
 * tool does, and says so in its result.
 */

import type { Call } from "./call.ts";
import type { Outcome } from "./dispatch.ts";
import { invalidParams, type WireError } from "./errors.ts";
import { isObject } from "./jsonrpc.ts";
import { pageAt, pageText } from "./pagination.ts";
import { type ParamHeader, paramHeadersOf } from "./param-headers.ts";
import {
  type ClientFeature,
  type ContentBlock,
  type Json,
  type Revision,
  type ServerDefinition,
  STRUCTURED_TEXT,
  type Tool,
  type ToolResult,
} from "./registry.ts";
import { type Since, visible, visibleBlock } from "./visible.ts";

const FIELDS: Since<Tool> = {
  name: "2024-11-05",
  title: "2025-06-18",
  description: "2024-11-05",
  inputSchema: "2024-11-05",
  outputSchema: "2025-06-18",
  annotations: "2025-03-26",
  icons: "2025-11-25",
  _meta: "2025-06-18",
};

const NO_HEADERS: readonly ParamHeader[] = [];

/** A server's tools at this moment, as found and as listed. */
export class ToolList {
  readonly #server: ServerDefinition;
  #byName: ReadonlyMap<string, Tool> = new Map();
  #paramHeaders: ReadonlyMap<string, readonly ParamHeader[]> = new Map();
  /** First pages by revision, which is all that most clients ever see. */
  readonly #firstPages = new Map<Revision, string>();

  /** @throws RangeError on two tools of one name, or on a parameter header that is none */
  constructor(server: ServerDefinition) {
    this.#server = server;
    this.reread();
  }

  /** The definition's tools have changed. */
  reread(): void {
    const { tools } = this.#server;
    const byName = new Map(tools.map((tool) => [tool.name, tool]));
    if (byName.size !== tools.length) throw new RangeError("two tools have the same name");
    const paramHeaders = tools
      .filter(({ lazySchemas }) => lazySchemas !== true)
      .map((tool) => [tool.name, paramHeadersOf(tool.inputSchema)] as const);
    this.#byName = byName;
    this.#paramHeaders = new Map(paramHeaders.filter(([, headers]) => headers.length > 0));
    this.#firstPages.clear();
  }

  find(name: string): Tool | undefined {
    return this.#byName.get(name);
  }

  /** The arguments that a modern request repeats in its headers. */
  paramHeaders(name: Json | undefined): readonly ParamHeader[] {
    return (typeof name === "string" ? this.#paramHeaders.get(name) : undefined) ?? NO_HEADERS;
  }

  /**
   * `tools/list`.
   * @param head what the result begins with in the era of that revision
   */
  page(revision: Revision, head: string, cursor: Json | undefined): string | WireError {
    const first = cursor === undefined ? this.#firstPages.get(revision) : undefined;
    if (first !== undefined) return first;
    const page = pageAt(this.#server.tools, (tool) => tool.name, cursor);
    if ("code" in page) return page;
    const text = head + pageText("tools", page, (tool) => visible(tool, FIELDS, revision));
    if (cursor === undefined) this.#firstPages.set(revision, text);
    return text;
  }
}

/**
 * `tools/call`.
 * @param render the tool's result as the era's result object, in JSON text
 */
export function callTool(
  tools: ToolList,
  call: Call,
  render: (result: ToolResult, revision: Revision) => string,
): Outcome | Promise<Outcome> {
  const params = call.request.params ?? {};
  if (typeof params.name !== "string") return invalidParams("name must be a string.");
  const tool = tools.find(params.name);
  if (tool === undefined) return invalidParams("Unknown tool.");
  const args: Json = params.arguments ?? {};
  if (!isObject(args)) return invalidParams("arguments must be an object.");
  const { revision } = call;
  const instead = tool.requires === undefined && tool.task === undefined ? undefined : admit(tool, call);
  if (instead !== undefined) return "content" in instead ? render(instead, revision) : instead.outcome;
  if (tool.mayRepeat?.(args) === true) call.mayRepeat = true;
  const result = tool.call(args, call);
  return result instanceof Promise ? result.then((given) => render(given, revision)) : render(result, revision);
}

const TASKS_FULL: ToolResult = {
  content: [{ type: "text", text: "Too many tasks at this moment. Try again later." }],
  isError: true,
};

/** Lets a call to a tool that needs more than most begin. @returns what is answered instead, if it may not */
function admit({ requires = [], task }: Tool, call: Call): ToolResult | { readonly outcome: Outcome } | undefined {
  call.mayTask = task !== undefined;
  const needed: readonly ClientFeature[] = task === "required" ? [...requires, "tasksExtension"] : requires;
  const missing = needed.filter((feature) => !call.supports(feature));
  if (missing.length > 0) return { outcome: call.refuse(missing) };
  return task === "required" && !call.canTask ? TASKS_FULL : undefined;
}

/** A tool's result as a result object in JSON text, its structured content written once at most. */
export function toolResultText(result: ToolResult): string {
  const structured = result[STRUCTURED_TEXT];
  if (structured === undefined || result.isError !== undefined || result._meta !== undefined) {
    return JSON.stringify(result);
  }
  return `{"content":${contentText(result.content)},"structuredContent":${structured}}`;
}

/** Most tools say one thing; a plain string is written several times as fast as an array of objects. */
function contentText(content: readonly ContentBlock[]): string {
  const [first] = content;
  const isPlain = content.length === 1 && first?.type === "text" && Object.keys(first).length === 2;
  return isPlain ? `[{"type":"text","text":${JSON.stringify(first.text)}}]` : JSON.stringify(content);
}

/** A tool's result as a legacy result object. Fields and content kinds younger than the revision are left out. */
export function legacyToolResult(result: ToolResult, revision: Revision): string {
  if (revision >= "2025-06-18") return toolResultText(result);
  const content = result.content.map((block) => visibleBlock(block, revision));
  return JSON.stringify(result.isError === undefined ? { content } : { content, isError: result.isError });
}

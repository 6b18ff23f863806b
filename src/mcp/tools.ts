/**
 * Tools, as far as both eras share them: finding and calling one, and what each revision may see
 * of its description and its result.
 *
 * This file owns which tool fields a revision knows. It must never validate a tool's arguments: the
 * tool does, and says so in its result.
 */

import type { Call } from "./call.ts";
import type { Outcome } from "./dispatch.ts";
import { invalidParams } from "./errors.ts";
import { isObject } from "./jsonrpc.ts";
import type { ContentBlock, Json, JsonObject, Revision, Tool, ToolResult } from "./registry.ts";

export type ToolTable = ReadonlyMap<string, Tool>;

/** Tools by name. @throws RangeError on two tools of one name */
export function toolTable(tools: readonly Tool[]): ToolTable {
  const table = new Map(tools.map((tool) => [tool.name, tool]));
  if (table.size !== tools.length) throw new RangeError("two tools have the same name");
  return table;
}

/** What `tools/list` says of a tool to a client of that revision. */
function describe(tool: Tool, revision: Revision): JsonObject {
  const { name, title, description, annotations, inputSchema, outputSchema, _meta } = tool;
  const shown: JsonObject = { name };
  if (title !== undefined && revision >= "2025-06-18") shown.title = title;
  shown.description = description;
  shown.inputSchema = inputSchema;
  if (outputSchema !== undefined && revision >= "2025-06-18") shown.outputSchema = outputSchema;
  if (annotations !== undefined && revision >= "2025-03-26") shown.annotations = { ...annotations };
  if (_meta !== undefined && revision >= "2025-06-18") shown._meta = _meta;
  return shown;
}

/** The `tools` array of a listing as JSON text. */
export function toolsText(tools: readonly Tool[], revision: Revision): string {
  return JSON.stringify(tools.map((tool) => describe(tool, revision)));
}

/**
 * `tools/call`.
 * @param render the tool's result as the era's result object, in JSON text
 */
export function callTool(
  tools: ToolTable,
  call: Call,
  render: (result: ToolResult, revision: Revision) => string,
): Outcome | Promise<Outcome> {
  const params = call.request.params ?? {};
  if (typeof params.name !== "string") return invalidParams("name must be a string.");
  const tool = tools.get(params.name);
  if (tool === undefined) return invalidParams("Unknown tool.");
  const args: Json = params.arguments ?? {};
  if (!isObject(args)) return invalidParams("arguments must be an object.");
  const result = tool.call(args, call);
  const { revision } = call;
  return result instanceof Promise ? result.then((given) => render(given, revision)) : render(result, revision);
}

/** A tool's result as a legacy result object. Fields and content kinds younger than the revision are left out. */
export function legacyToolResult(result: ToolResult, revision: Revision): string {
  if (revision >= "2025-06-18") return JSON.stringify(result);
  const content = result.content.map((block) => olderBlock(block, revision));
  return JSON.stringify(result.isError === undefined ? { content } : { content, isError: result.isError });
}

/** A block as revisions before 2025-06-18 can take it: resource links, and audio before 2025-03-26, become words. */
function olderBlock(block: ContentBlock, revision: Revision): ContentBlock {
  if (block.type === "resource_link" && "uri" in block) return { type: "text", text: String(block.uri) };
  if (block.type === "audio" && revision < "2025-03-26") return { type: "text", text: "[audio]" };
  return block;
}

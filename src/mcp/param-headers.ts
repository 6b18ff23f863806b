/**
 * Tool arguments that a modern request repeats in headers, so that proxies can route by them
 * (2026-07-28, Tools, "x-mcp-header"): which they are, and whether a request's are right.
 *
 * This file owns those two. It must never look at a header that no schema names.
 */

import { headerMismatch, type WireError } from "./errors.ts";
import { decodeHeaderValue, type HeaderReader } from "./header-values.ts";
import { isObject } from "./jsonrpc.ts";
import type { Json, JsonObject } from "./registry.ts";

const ANNOTATION = "x-mcp-header";
/** RFC 9110, section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const KINDS = ["string", "integer", "boolean"];

/** One argument and the header that repeats it. */
export interface ParamHeader {
  /** `mcp-param-` and the name of the schema, in lower case. */
  readonly header: string;
  /** The names that lead to the argument. */
  readonly path: readonly string[];
}

/**
 * The headers an input schema asks for: on strings, integers and booleans that are reached through
 * `properties` only.
 * @throws RangeError if a name is no token or stands twice, or the property is of another kind
 */
export function paramHeadersOf(schema: JsonObject): readonly ParamHeader[] {
  const found: ParamHeader[] = [];
  collect(schema, [], found);
  const names = new Set(found.map(({ header }) => header));
  if (names.size !== found.length) throw new RangeError(`two parameters share an ${ANNOTATION}`);
  return found;
}

function collect(schema: JsonObject, path: readonly string[], found: ParamHeader[]): void {
  const { properties } = schema;
  if (!isObject(properties)) return;
  for (const [name, property] of Object.entries(properties)) {
    if (!isObject(property)) continue;
    const here = [...path, name];
    const header = property[ANNOTATION];
    if (header !== undefined) {
      const fits = typeof header === "string" && TOKEN.test(header) && KINDS.some((kind) => kind === property.type);
      if (!fits) throw new RangeError(`${here.join(".")} cannot have this ${ANNOTATION}`);
      found.push({ header: `mcp-param-${header.toLowerCase()}`, path: here });
    }
    collect(property, here, found);
  }
}

/** Whether the headers repeat the arguments: an argument that is there has its header, one that is not has none. */
export function checkParamHeaders(
  wanted: readonly ParamHeader[],
  args: Json | undefined,
  headers: HeaderReader,
): WireError | undefined {
  for (const { header, path } of wanted) {
    const value = path.reduce<Json | undefined>((at, name) => (isObject(at) ? at[name] : undefined), args);
    const sent = headers.get(header);
    if (value === undefined || value === null) {
      if (sent !== null) return headerMismatch(`${header} repeats an argument that is not there.`);
      continue;
    }
    const said = decodeHeaderValue(sent);
    if (said === undefined) return headerMismatch(`${header} is missing or not encoded properly.`);
    if (!repeats(said, value)) return headerMismatch(`${header} is not the argument.`);
  }
  return undefined;
}

/** Integers compare as numbers: 42 and 42.0 are the same JSON number. */
function repeats(said: string, value: Json): boolean {
  if (typeof value === "number") return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(said) && Number(said) === value;
  return typeof value === "object" || String(value) === said;
}

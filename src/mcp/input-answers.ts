/**
 * Questions to a client: what it must have declared to be asked one, and whether what came back is
 * an answer to it. The same in both eras and inside tasks.
 *
 * This file owns those checks. They are total: whatever a client sends is an answer or is none.
 */

import { INPUT_DEPTH_MAX } from "../limits.ts";
import type { Json, JsonObject } from "./json.ts";
import { isObject } from "./jsonrpc.ts";
import {
  type ClientFeature,
  type InputAnswers,
  type InputRequest,
  type InputRequests,
  NoInput,
} from "./work-context.ts";

/** A question that the client never said it would answer. */
export class UnsupportedInput extends NoInput {
  /** What it would have to declare. */
  readonly features: readonly ClientFeature[];

  constructor(features: readonly ClientFeature[]) {
    super("unsupported", `This needs a client with: ${features.join(", ")}.`);
    this.features = features;
  }
}

/** What a client must declare to be asked this. */
function featuresFor({ method, params }: InputRequest): readonly ClientFeature[] {
  switch (method) {
    case "roots/list":
      return ["roots"];
    case "sampling/createMessage":
      return params?.tools === undefined ? ["sampling"] : ["sampling", "samplingTools"];
    case "elicitation/create":
      return [params?.mode === "url" ? "elicitationUrl" : "elicitationForm"];
  }
}

/** Why these cannot be asked, if they cannot. */
export function refuseInput(
  requests: InputRequests,
  supports: (feature: ClientFeature) => boolean,
): UnsupportedInput | undefined {
  const missing = new Set(
    Object.values(requests)
      .flatMap(featuresFor)
      .filter((feature) => !supports(feature)),
  );
  return missing.size === 0 ? undefined : new UnsupportedInput([...missing]);
}

/** Asks all questions at once and waits for all answers. */
export function gather<R extends InputRequests>(
  requests: R,
  ask: (key: string, request: InputRequest) => Promise<JsonObject>,
): Promise<InputAnswers<R>> {
  const answers = Object.entries(requests).map(async ([key, request]) => [key, await ask(key, request)] as const);
  return observed(Promise.all(answers).then((all) => Object.fromEntries(all) as InputAnswers<R>));
}

/** The same promise, whose rejection is no bug if the work never looks at it. */
export function observed<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Whether a value is nested no deeper than allowed, so that recursion over it ends well. */
export function isShallow(value: unknown, levels = INPUT_DEPTH_MAX): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isShallow(member, levels - 1));
}

/** Reads what came back for a question. @returns undefined if it is no answer to it */
export function readAnswer({ method, params }: InputRequest, value: unknown): JsonObject | undefined {
  if (!isObject(value) || !isShallow(value)) return undefined;
  switch (method) {
    case "roots/list":
      return isListOfRoots(value.roots) ? value : undefined;
    case "sampling/createMessage":
      return typeof value.role === "string" && typeof value.content === "object" && value.content !== null
        ? value
        : undefined;
    case "elicitation/create":
      return isElicited(value, params) ? value : undefined;
  }
}

function isListOfRoots(value: unknown): boolean {
  return Array.isArray(value) && value.every((root) => isObject(root) && typeof root.uri === "string");
}

/** Elicitation, "Response actions": only an accepted form has content, and that fits the schema asked with. */
function isElicited({ action, content }: JsonObject, params: JsonObject | undefined): boolean {
  if (action === "decline" || action === "cancel") return true;
  if (action !== "accept") return false;
  if (params?.mode === "url") return true;
  return isObject(content) && fitsForm(content, params?.requestedSchema);
}

/** Elicitation, "Requested schema": a flat object of primitives and choices. */
function fitsForm(content: JsonObject, schema: Json | undefined): boolean {
  if (!isObject(schema)) return true;
  const { properties, required } = schema;
  const needed = Array.isArray(required) ? required : [];
  if (!needed.every((name) => typeof name === "string" && Object.hasOwn(content, name))) return false;
  if (!isObject(properties)) return true;
  return Object.entries(content).every(([name, value]) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return !isObject(property) || fitsProperty(value, property);
  });
}

function fitsProperty(value: Json, schema: JsonObject): boolean {
  switch (schema.type) {
    case "string":
      return (
        typeof value === "string" &&
        isWithin(value.length, schema.minLength, schema.maxLength) &&
        isChoice(value, schema)
      );
    case "integer":
      return Number.isInteger(value) && isWithin(Number(value), schema.minimum, schema.maximum);
    case "number":
      return typeof value === "number" && isWithin(value, schema.minimum, schema.maximum);
    case "boolean":
      return typeof value === "boolean";
    case "array": {
      const { items } = schema;
      if (!Array.isArray(value) || !isWithin(value.length, schema.minItems, schema.maxItems)) return false;
      return !isObject(items) || value.every((item) => typeof item === "string" && isChoice(item, items));
    }
    default:
      return true;
  }
}

function isWithin(size: number, min: Json | undefined, max: Json | undefined): boolean {
  return !(typeof min === "number" && size < min) && !(typeof max === "number" && size > max);
}

/** Whether a text is among the choices, if there are any: `enum`, or titled ones in `oneOf` or `anyOf`. */
function isChoice(value: string, { enum: plain, oneOf, anyOf }: JsonObject): boolean {
  if (Array.isArray(plain)) return plain.includes(value);
  const titled = Array.isArray(oneOf) ? oneOf : anyOf;
  return !Array.isArray(titled) || titled.some((choice) => isObject(choice) && choice.const === value);
}

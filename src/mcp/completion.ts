/**
 * Suggestions for prompt arguments and for variables of resource templates (Completion).
 *
 * This file owns the finding of who is asked, and the bound of an answer. It must never filter what
 * the application suggests.
 */

import { COMPLETION_VALUES_MAX } from "../limits.ts";
import type { Call } from "./call.ts";
import type { Outcome } from "./dispatch.ts";
import { invalidParams, type WireError } from "./errors.ts";
import { isObject } from "./jsonrpc.ts";
import type { PromptList } from "./prompts.ts";
import type { Completer, Json, Resources, ResourceTemplate } from "./registry.ts";
import { whenReady } from "./when-ready.ts";

/** An argument or a variable that exists; most have no suggestions. */
interface Completable {
  readonly complete: Completer | undefined;
}

/** The `completion` member of a result. */
export interface Completion {
  readonly completion: { readonly values: readonly string[]; readonly total: number; readonly hasMore: boolean };
}

/** Whether a client would ever be suggested anything. */
export function offersCompletion(prompts: PromptList | undefined, resources: Resources | undefined): boolean {
  return prompts?.completes === true || resources?.templates?.some(({ complete }) => complete !== undefined) === true;
}

/**
 * `completion/complete`.
 * @param render the completion as the era's result object, in JSON text
 */
export function complete(
  prompts: PromptList | undefined,
  resources: Resources | undefined,
  call: Call,
  render: (result: Completion) => string,
): Outcome | Promise<Outcome> {
  const { ref, argument, context } = call.request.params ?? {};
  if (!isObject(ref)) return invalidParams("ref must be an object.");
  if (!isObject(argument)) return invalidParams("argument must be an object.");
  const { name, value } = argument;
  if (typeof name !== "string" || typeof value !== "string") {
    return invalidParams("argument needs a name and a value, both strings.");
  }
  const given = readGiven(context);
  if ("fault" in given) return given.fault;
  const found = findCompletable(prompts, resources, ref, name);
  if ("code" in found) return found;
  return whenReady(found.complete?.(value, given.values, call) ?? [], (values) => render(bounded(values)));
}

function findCompletable(
  prompts: PromptList | undefined,
  resources: Resources | undefined,
  ref: { readonly [key: string]: Json },
  name: string,
): Completable | WireError {
  if (ref.type === "ref/prompt") {
    const prompt = typeof ref.name === "string" ? prompts?.find(ref.name) : undefined;
    if (prompt === undefined) return invalidParams("ref names an unknown prompt.");
    const argument = prompt.arguments?.find((one) => one.name === name);
    return argument === undefined ? invalidParams("Unknown argument.") : { complete: argument.complete };
  }
  if (ref.type === "ref/resource") {
    const template = resources?.templates?.find(({ uriTemplate }) => uriTemplate === ref.uri);
    if (template === undefined) return invalidParams("ref names an unknown resource template.");
    if (!variablesOf(template).includes(name)) return invalidParams("Unknown variable.");
    const { complete: completers } = template;
    const own = completers !== undefined && Object.hasOwn(completers, name);
    return { complete: own ? completers[name] : undefined };
  }
  return invalidParams("ref.type must be ref/prompt or ref/resource.");
}

/** The variables in the expressions of a template (RFC 6570, section 2). */
function variablesOf({ uriTemplate }: ResourceTemplate): readonly string[] {
  const expressions = [...uriTemplate.matchAll(/\{[+#./;?&]?([^{}]*)\}/g)];
  return expressions.flatMap(([, list = ""]) => list.split(",").map((one) => one.replace(/(?:\*|:\d{1,4})$/, "")));
}

/** `context.arguments`: what is settled already. */
function readGiven(
  context: Json | undefined,
): { readonly values: Readonly<Record<string, string>> } | { readonly fault: WireError } {
  if (context === undefined) return { values: {} };
  const settled = isObject(context) ? (context.arguments ?? {}) : undefined;
  const entries = isObject(settled) ? Object.entries(settled) : undefined;
  const strings = entries?.flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : []));
  if (strings === undefined || strings.length !== entries?.length) {
    return { fault: invalidParams("context.arguments must be an object of strings.") };
  }
  return { values: Object.fromEntries(strings) };
}

function bounded(values: readonly string[]): Completion {
  const total = values.length;
  const hasMore = total > COMPLETION_VALUES_MAX;
  return { completion: { values: hasMore ? values.slice(0, COMPLETION_VALUES_MAX) : values, total, hasMore } };
}

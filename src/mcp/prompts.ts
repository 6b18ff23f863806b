/**
 * Prompts, as far as both eras share them: listing them, and filling one in.
 *
 * This file owns which prompt fields a revision knows and the check of arguments against what is
 * declared. It must never judge a value: the prompt does.
 */

import type { Call } from "./call.ts";
import type { Outcome } from "./dispatch.ts";
import { invalidParams, type WireError } from "./errors.ts";
import { isObject } from "./jsonrpc.ts";
import { pageAt, pageText } from "./pagination.ts";
import type { Json, Prompt, PromptArgument, PromptResult, Revision, ServerDefinition } from "./registry.ts";
import { type Since, visible, visibleBlock } from "./visible.ts";
import { whenReady } from "./when-ready.ts";

const FIELDS: Since<Prompt> = {
  name: "2024-11-05",
  title: "2025-06-18",
  description: "2024-11-05",
  icons: "2025-11-25",
  _meta: "2025-06-18",
};

const ARGUMENT_FIELDS: Since<PromptArgument> = {
  name: "2024-11-05",
  title: "2025-06-18",
  description: "2024-11-05",
  required: "2024-11-05",
};

/** A server's prompts at this moment, as found and as listed. */
export class PromptList {
  readonly #server: ServerDefinition;
  #byName: ReadonlyMap<string, Prompt> = new Map();

  /** @throws RangeError on two prompts of one name */
  constructor(server: ServerDefinition) {
    this.#server = server;
    this.reread();
  }

  get #prompts(): readonly Prompt[] {
    return this.#server.prompts ?? [];
  }

  /** The definition's prompts have changed. */
  reread(): void {
    const byName = new Map(this.#prompts.map((prompt) => [prompt.name, prompt]));
    if (byName.size !== this.#prompts.length) throw new RangeError("two prompts have the same name");
    this.#byName = byName;
  }

  find(name: string): Prompt | undefined {
    return this.#byName.get(name);
  }

  /** Whether any argument has suggestions. */
  get completes(): boolean {
    return this.#prompts.some((prompt) => prompt.arguments?.some(({ complete }) => complete !== undefined));
  }

  /**
   * `prompts/list`.
   * @param head what the result begins with in the era of that revision
   */
  page(revision: Revision, head: string, cursor: Json | undefined): string | WireError {
    const page = pageAt(this.#prompts, (prompt) => prompt.name, cursor);
    return "code" in page ? page : head + pageText("prompts", page, (prompt) => describe(prompt, revision));
  }
}

function describe(prompt: Prompt, revision: Revision): Record<string, unknown> {
  const shown = visible(prompt, FIELDS, revision);
  const { arguments: declared } = prompt;
  if (declared !== undefined) shown.arguments = declared.map((one) => visible(one, ARGUMENT_FIELDS, revision));
  return shown;
}

/**
 * `prompts/get`.
 * @param render the filled-in prompt as the era's result object, in JSON text
 */
export function getPrompt(
  prompts: PromptList,
  call: Call,
  render: (result: PromptResult, revision: Revision) => string,
): Outcome | Promise<Outcome> {
  const { name, arguments: given = {} } = call.request.params ?? {};
  if (typeof name !== "string") return invalidParams("name must be a string.");
  const prompt = prompts.find(name);
  if (prompt === undefined) return invalidParams("Unknown prompt.");
  const args = readArguments(prompt.arguments ?? [], given);
  if ("fault" in args) return args.fault;
  const { revision } = call;
  return whenReady(prompt.get(args.values, call), (result) =>
    "invalid" in result ? invalidParams(result.invalid) : render(result, revision),
  );
}

/** The declared arguments of a request: strings, none unknown, none missing that is required. */
function readArguments(
  declared: readonly PromptArgument[],
  given: Json,
): { readonly values: Readonly<Record<string, string>> } | { readonly fault: WireError } {
  const refuse = (problem: string) => ({ fault: invalidParams(problem) });
  if (!isObject(given)) return refuse("arguments must be an object.");
  const values: Record<string, string> = {};
  for (const { name, required } of declared) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) {
      if (required === true) return refuse(`the argument ${name} is required.`);
    } else if (typeof value === "string") values[name] = value;
    else return refuse(`the argument ${name} must be a string.`);
  }
  const known = Object.keys(given).every((name) => declared.some((argument) => argument.name === name));
  return known ? { values } : refuse("there are unknown arguments.");
}

/** A filled-in prompt as a client of the revision can take it. */
export function visiblePromptResult(result: PromptResult, revision: Revision): PromptResult {
  if (revision >= "2025-06-18") return result;
  const { description } = result;
  const messages = result.messages.map(({ role, content }) => ({ role, content: visibleBlock(content, revision) }));
  return description === undefined ? { messages } : { description, messages };
}

/**
 * Figures of the tools: how often each was called, and why it was refused.
 *
 * This file owns those counts. It must never look at arguments, and of results only at the code of a
 * refusal.
 */
import { REFUSAL_CODES } from "../domain/refusal.ts";
import type { Tool, ToolResult } from "../mcp/registry.ts";
import type { Exposition, Sample } from "./exposition.ts";

interface Outcomes {
  done: number;
  refused: number;
  failed: number;
}

export class ToolMeter {
  readonly #byTool = new Map<string, Outcomes>();
  readonly #refusals = new Map<string, number>(REFUSAL_CODES.map((code) => [code, 0]));

  /** The same tool, with its calls counted. */
  metered(tool: Tool): Tool {
    const outcomes: Outcomes = { done: 0, refused: 0, failed: 0 };
    this.#byTool.set(tool.name, outcomes);
    const failed = (bug: unknown): never => {
      outcomes.failed++;
      throw bug;
    };
    const counted = (result: ToolResult): ToolResult => {
      if (result.isError !== true) outcomes.done++;
      else this.#refused(outcomes, result);
      return result;
    };
    const call: Tool["call"] = (args, context) => {
      let result: ToolResult | Promise<ToolResult>;
      try {
        result = tool.call(args, context);
      } catch (bug) {
        return failed(bug);
      }
      return result instanceof Promise ? result.then(counted, failed) : counted(result);
    };
    // Its schemas are made when they are read: copying them would make them now.
    const properties = { ...Object.getOwnPropertyDescriptors(tool), call: { value: call, enumerable: true } };
    return Object.defineProperties({}, properties) as Tool;
  }

  #refused(outcomes: Outcomes, { structuredContent }: ToolResult): void {
    outcomes.refused++;
    const code = (structuredContent?.error as { readonly code?: unknown } | undefined)?.code;
    // A code that is not of the closed list would be a label without bound.
    const counted = typeof code === "string" ? this.#refusals.get(code) : undefined;
    if (counted !== undefined) this.#refusals.set(code as string, counted + 1);
  }

  write(out: Exposition): void {
    const samples = [...this.#byTool].flatMap(([tool, outcomes]): Sample[] =>
      Object.entries(outcomes).map(([outcome, value]) => ({ labels: { tool, outcome }, value })),
    );
    out.family("mcp_chat_tool_calls_total", "counter", "Calls of tools that were answered.", samples);
    const refusals = Object.fromEntries(this.#refusals);
    out.counters("mcp_chat_refusals_total", "Calls refused, by the code of the refusal.", "code", refusals);
  }
}

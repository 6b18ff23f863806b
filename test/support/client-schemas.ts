/**
 * What the server says about its tools, as a measure for what they answer.
 *
 * This file owns the checking of results against the listed output schemas, as the official clients
 * check them.
 */

import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import { z } from "zod";
import type { RawCaller } from "./client-raw.ts";

export interface ListedTools {
  /** What is wrong with a structured result of this tool; undefined if nothing is. */
  fault(tool: string, structured: unknown): string | undefined;
}

const listSchema = z.object({
  tools: z.array(z.object({ name: z.string(), outputSchema: z.record(z.string(), z.unknown()) })),
});

/** Asks the server for its tools. */
export async function listTools(caller: RawCaller): Promise<ListedTools> {
  const { tools } = listSchema.parse((await caller.request("tools/list")).message.result);
  const ajv = new AjvJsonSchemaValidator();
  const validators = new Map(tools.map(({ name, outputSchema }) => [name, ajv.getValidator(outputSchema)]));
  return {
    fault(tool, structured) {
      const validate = validators.get(tool);
      if (validate === undefined) return `${tool} is not listed`;
      return validate(structured).errorMessage;
    },
  };
}

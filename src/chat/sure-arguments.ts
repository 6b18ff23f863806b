/**
 * Arguments that surely fit, told at a glance: zod reads every object as if it were new to it, and is
 * a twelfth of what a message costs. Whatever is not surely right is for the schema to judge.
 *
 * This file owns that glance. It must never say yes to what the schema refuses or would change.
 */
import { z } from "zod";
import type { Json, JsonObject } from "../mcp/registry.ts";

/** Whether a value is one that its schema takes as it is. */
type Glance = (value: Json | undefined) => boolean;

/**
 * Makes the glance of a tool's input.
 * @param schema of an object that admits no other members
 */
export function sureArguments(schema: z.ZodObject): (args: JsonObject) => boolean {
  const glances = new Map<string, Glance>();
  const required: string[] = [];
  for (const [name, member] of Object.entries(schema.shape)) {
    const glance = glanceOf(member instanceof z.ZodOptional ? member.unwrap() : member);
    if (glance !== undefined) glances.set(name, glance);
    if (!(member instanceof z.ZodOptional)) required.push(name);
  }
  return (args) => {
    for (const name in args) if (glances.get(name)?.(args[name]) !== true) return false;
    for (const name of required) if (!Object.hasOwn(args, name)) return false;
    return true;
  };
}

/** Undefined for schemas that want a closer look. */
function glanceOf(schema: z.core.$ZodType): Glance | undefined {
  if (schema instanceof z.ZodBoolean) return (value) => typeof value === "boolean";
  if (schema instanceof z.ZodEnum) {
    const options = new Set<unknown>(schema.options);
    return (value) => typeof value === "string" && options.has(value);
  }
  const isPlain = schema instanceof z.ZodString && (schema.def.checks ?? []).every(isAboutLength);
  if (!isPlain) return undefined;
  const { minLength, maxLength } = schema;
  const [min, max] = [minLength ?? 0, maxLength ?? Number.POSITIVE_INFINITY];
  return (value) => typeof value === "string" && value.length >= min && value.length <= max;
}

function isAboutLength(check: z.core.$ZodCheck<never>): boolean {
  return ["min_length", "max_length"].includes(check._zod.def.check);
}

/**
 * A strict reader of the Prometheus text format 0.0.4, written from its description.
 *
 * This file owns that reading. It must never use anything of src/, and never let a fault pass.
 */

export interface Family {
  readonly type: string;
  readonly help: string;
  /** Values by the sample as it is written, `name{label="value"}`. */
  readonly samples: Map<string, number>;
}

export class FormatFault extends Error {}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = `([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\[\\\\n"])*)"`;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{((?:${LABEL},)*${LABEL})\\})? (\\S+)$`);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};

/** Families by name. @throws FormatFault */
export function readPrometheusText(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  if (!text.endsWith("\n")) throw new FormatFault("the last line has no end");
  let name = "";
  let help: string | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const described = new RegExp(`^# HELP (${NAME}) (.*)$`).exec(line);
    const typed = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`).exec(line);
    if (described !== null) {
      [, name = "", help = ""] = described;
      if (families.has(name)) throw new FormatFault(`${name} is described twice`);
    } else if (typed !== null) {
      const [, ofName, type = ""] = typed;
      if (ofName !== name || help === undefined) throw new FormatFault(`a type without its help: ${line}`);
      families.set(name, { type, help, samples: new Map() });
      help = undefined;
    } else addSample(families.get(name), name, line);
  }
  for (const [familyName, family] of families) checkFamily(familyName, family);
  return families;
}

function addSample(family: Family | undefined, name: string, line: string): void {
  const [, sampleName = "", labels = "", ...rest] = SAMPLE.exec(line) ?? [];
  const written = rest.at(-1) ?? "";
  if (family === undefined || sampleName === "") throw new FormatFault(`no sample: ${line}`);
  const suffixes = SUFFIXES[family.type] ?? [""];
  if (!suffixes.some((suffix) => sampleName === name + suffix)) throw new FormatFault(`not of ${name}: ${line}`);
  const names = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([, label]) => label);
  if (new Set(names).size !== names.length) throw new FormatFault(`a label twice: ${line}`);
  const key = labels === "" ? sampleName : `${sampleName}{${labels}}`;
  if (family.samples.has(key)) throw new FormatFault(`twice: ${line}`);
  family.samples.set(key, numberOf(written));
}

function numberOf(written: string): number {
  if (written === "+Inf") return Number.POSITIVE_INFINITY;
  if (written === "-Inf") return Number.NEGATIVE_INFINITY;
  if (written === "NaN") return Number.NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(written)) throw new FormatFault(`no number: ${written}`);
  return Number(written);
}

function checkFamily(name: string, { type, help, samples }: Family): void {
  if (help === "" || samples.size === 0) throw new FormatFault(`${name} says nothing`);
  if (type === "counter" && [...samples.values()].some((value) => !(value >= 0))) throw new FormatFault(`${name} < 0`);
  if (type !== "histogram") return;
  const buckets = [...samples].filter(([key]) => key.startsWith(`${name}_bucket`));
  const bounds = buckets.map(([key]) => numberOf(/le="([^"]*)"/.exec(key)?.[1] ?? ""));
  const counts = buckets.map(([, count]) => count);
  const rises = (values: readonly number[], least: number): boolean =>
    values.every((value, at) => at === 0 || value - (values[at - 1] ?? value) >= least);
  const count = samples.get(`${name}_count`);
  const isWhole = bounds.at(-1) === Number.POSITIVE_INFINITY && counts.at(-1) === count && samples.has(`${name}_sum`);
  if (!isWhole || !rises(bounds, Number.MIN_VALUE) || !rises(counts, 0))
    throw new FormatFault(`${name} is no histogram`);
}

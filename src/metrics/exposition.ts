/**
 * The Prometheus text format, version 0.0.4: families of samples as lines of text.
 *
 * This file owns the spelling. It must never know what is measured; names and labels are ours, and are
 * escaped all the same.
 */

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export type MetricType = "counter" | "gauge" | "histogram" | "summary";

/** One figure of a family. */
export interface Sample {
  /** What follows the family's name: `_sum` for example. Default: nothing. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Exposition {
  #text = "";

  /** Writes a family: what it is, then its samples. */
  family(name: string, type: MetricType, help: string, samples: readonly Sample[]): void {
    this.#text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const { suffix = "", labels, value } of samples) {
      this.#text += `${name}${suffix}${labelText(labels)} ${numberText(value)}\n`;
    }
  }

  /** A family of one sample without labels, or of one for each value of a label. */
  counter(name: string, help: string, value: number): void {
    this.family(name, "counter", help, [{ value }]);
  }

  gauge(name: string, help: string, value: number): void {
    this.family(name, "gauge", help, [{ value }]);
  }

  /** A counter for each value of one label. */
  counters(name: string, help: string, label: string, values: Readonly<Record<string, number>>): void {
    const samples = Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
    this.family(name, "counter", help, samples);
  }

  get text(): string {
    return this.#text;
  }
}

function labelText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

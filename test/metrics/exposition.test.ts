/**
 * Prometheus' text format: what is written is read again by a reader of the test's own.
 *
 * This file owns the promises of src/metrics/exposition.ts and src/metrics/histogram.ts.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Exposition } from "../../src/metrics/exposition.ts";
import { Histogram } from "../../src/metrics/histogram.ts";
import { FormatFault, readPrometheusText } from "../support/prometheus-text.ts";

describe("the text", () => {
  test("is help, type, then samples", () => {
    const out = new Exposition();
    out.counter("a_total", "How often.", 3);
    out.gauge("b", "How much.", 0.5);
    out.counters("c_total", "Which.", "kind", { x: 1, y: 2 });
    expect(out.text).toBe(
      `# HELP a_total How often.\n# TYPE a_total counter\na_total 3\n` +
        `# HELP b How much.\n# TYPE b gauge\nb 0.5\n` +
        `# HELP c_total Which.\n# TYPE c_total counter\nc_total{kind="x"} 1\nc_total{kind="y"} 2\n`,
    );
  });

  test("escapes what would end a line or a label", () => {
    const out = new Exposition();
    out.family("a", "gauge", 'one\\two\nthree"', [{ labels: { l: 'x"y\\z\n' }, value: Number.POSITIVE_INFINITY }]);
    expect(out.text).toBe(`# HELP a one\\\\two\\nthree"\n# TYPE a gauge\na{l="x\\"y\\\\z\\n"} +Inf\n`);
  });

  test("whatever the labels and numbers are, it can be read", () => {
    const value = fc.oneof(fc.double(), fc.integer());
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "binary" }), value, { minKeys: 1 }), fc.string(), (values, help) => {
        const out = new Exposition();
        out.family(
          "a",
          "gauge",
          `h${help}`,
          Object.entries(values).map(([label, one]) => ({ labels: { label }, value: one })),
        );
        const samples = readPrometheusText(out.text).get("a")?.samples;
        expect([...(samples?.values() ?? [])]).toEqual(Object.values(values).map((one) => one + 0));
      }),
    );
  });
});

describe("a histogram", () => {
  test("counts a value in every bucket that reaches it", () => {
    const histogram = new Histogram([1, 5]);
    for (const value of [0, 1, 1.5, 5, 6, 100]) histogram.observe(value);
    const counts = histogram.samples().map(({ suffix, labels, value }) => [suffix, labels?.le, value]);
    expect(counts).toEqual([
      ["_bucket", "1", 2],
      ["_bucket", "5", 4],
      ["_bucket", "+Inf", 6],
      ["_sum", undefined, 113.5],
      ["_count", undefined, 6],
    ]);
  });
});

test.each([
  "a 1\n",
  "# TYPE a gauge\na 1\n",
  "# HELP a x\n# TYPE a gauge\n",
  "# HELP a x\n# TYPE a gauge\na 1",
  "# HELP a x\n# TYPE a gauge\nb 1\n",
  "# HELP a x\n# TYPE a gauge\na 1\na 1\n",
  '# HELP a x\n# TYPE a gauge\na{l="x"y"} 1\n',
  '# HELP a x\n# TYPE a gauge\na{l="x",l="y"} 1\n',
  "# HELP a x\n# TYPE a gauge\na one\n",
  "# HELP a x\n# TYPE a counter\na -1\n",
  "# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n# TYPE a gauge\na 1\n",
  '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
  '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
])("the reader of the tests is not fooled: %p", (text) => {
  expect(() => readPrometheusText(text)).toThrow(FormatFault);
});

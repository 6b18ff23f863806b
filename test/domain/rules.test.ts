/**
 * The bond between src/domain/RULES.md and the tests: every rule is cited by the title of a test,
 * as in `Q1: ...` or `M2 M3: ...`, and every citation names a rule.
 *
 * This file owns the bookkeeping of rule ids. It must never test a rule itself.
 */

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { CHECKOUT } from "../support/program.ts";

const SELF = "test/domain/rules.test.ts";

/** Ids of the rules, in their order: list items that begin with a bold id. */
function ruleIds(markdown: string): string[] {
  return [...markdown.matchAll(/^- \*\*([A-Z]{1,2}\d{1,3})\*\* \S/gm)].map(([, id = ""]) => id);
}

/** Ids cited by the titles in a test file. A title is a text right after a round bracket; comments do not count. */
function citedIds(source: string): string[] {
  const code = source.replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, "");
  const titles = code.matchAll(/\(\s*["'`]((?:[A-Z]{1,2}\d{1,3} )*[A-Z]{1,2}\d{1,3}): /g);
  return [...titles].flatMap(([, ids = ""]) => ids.split(" "));
}

const MARKDOWN = await Bun.file(join(CHECKOUT, "src/domain/RULES.md")).text();
const RULES = ruleIds(MARKDOWN);

const CITATIONS: { id: string; path: string }[] = [];
for (const path of new Bun.Glob("test/**/*.test.ts").scanSync(CHECKOUT)) {
  if (path === SELF) continue;
  const source = await Bun.file(join(CHECKOUT, path)).text();
  CITATIONS.push(...citedIds(source).map((id) => ({ id, path })));
}

describe("the rules of the lobby", () => {
  test("are all the list items there are, each id once", () => {
    expect(RULES.length).toBeGreaterThan(0);
    expect(RULES.length).toBe(MARKDOWN.match(/^\s*[-*+] /gm)?.length ?? 0);
    expect(RULES.filter((id, at) => RULES.indexOf(id) !== at)).toEqual([]);
  });

  test("are each cited by a test", () => {
    expect(RULES.filter((id) => !CITATIONS.some((citation) => citation.id === id))).toEqual([]);
  });

  test("are cited by the ids they have", () => {
    expect(CITATIONS.filter(({ id }) => !RULES.includes(id)).map(({ id, path }) => `${path}: ${id}`)).toEqual([]);
  });
});

describe("the reading itself", () => {
  test("takes list items that begin with a bold id for rules", () => {
    const markdown =
      "# Q0\n\n- **Q1** A user waits.\n- **QX** Not one.\n- Q2 nor this\n  - **Q3** nor this\n- **MB12** Yes.\n";
    expect(ruleIds(markdown)).toEqual(["Q1", "MB12"]);
  });

  test("takes titles that begin with ids for citations", () => {
    expect(citedIds('test("Q1: a", f);\n  test.each(rows)("M2 M3: %s", f);\ndescribe(\n  `P4: x`,\n);')).toEqual([
      "Q1",
      "M2",
      "M3",
      "P4",
    ]);
    expect(
      citedIds('// test("Q1: a", f);\n/**\n * test("Q2: b")\n */\nconst text = "Q3: c";\ntest("about Q4: d", f);'),
    ).toEqual([]);
  });
});

/**
 * Golden conversations: every story is played against the real server, and its minutes must be those
 * of the file beside this one. Each file is meant to be read, and a change of it to be reviewed.
 *
 *     UPDATE_GOLDEN=1 bun test ./test/golden
 *
 * writes the files anew.
 *
 * In the minutes `->` goes to the server and `<-` comes from it. What differs from run to run has a
 * name in angle brackets. Left out is what all messages have in common: the JSON-RPC envelope, headers and
 * `_meta` as the era wants them, `resultType: complete` with the server's name, and the text block of a
 * result that says the same as its structure. If any of that is different it is shown.
 */

import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { difference } from "../support/golden-layout.ts";
import { STORIES } from "./stories.ts";
import { play, type Story } from "./story.ts";

/** Never where everything is to be tested: there the files are what is measured against. */
const UPDATE = process.env.UPDATE_GOLDEN === "1" && process.env.REQUIRE_ALL_TESTS !== "1";
/** What a reviewer reads in one go. */
const LINES_MAX = 150;
const WIDTH = 100;

const pathOf = (file: string): string => join(import.meta.dir, `${file}.txt`);

/** The whole file: what it proves, and the minutes. */
function page({ proves }: Story, minutes: readonly string[]): string {
  return `${[...comment(proves), "", ...minutes].join("\n")}\n`;
}

function comment(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || `${line} ${word}`.length > WIDTH) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

describe("golden conversations", () => {
  test.each(STORIES.map((story) => [story.file, story] as const))("%s", async (file, story) => {
    const written = Bun.file(pathOf(file));
    const before = (await written.exists()) ? await written.text() : "";
    const after = page(story, (await play(story)).minutes.lines);
    expect(after.split("\n").length).toBeLessThanOrEqual(LINES_MAX);
    if (before === after) return;
    if (UPDATE) await written.write(after);
    else
      throw new Error(
        `${file}.txt is different (UPDATE_GOLDEN=1 writes it anew):\n${difference(before.split("\n"), after.split("\n"))}`,
      );
  });

  test("no minutes are left without a story", () => {
    const files = readdirSync(import.meta.dir).filter((name) => name.endsWith(".txt"));
    expect(files.sort()).toEqual(STORIES.map(({ file }) => `${file}.txt`).sort());
  });
});

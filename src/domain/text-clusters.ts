/**
 * Characters that depend on the one before them: combining marks, joiners, variation selectors, tags.
 * They stay where writing or an emoji needs them; anywhere else they are invisible ink.
 *
 * This file owns the company these characters must keep. It must never look at the order of the
 * marks on one character further than from joiner to joiner: normalising reorders them, and the
 * outcome has to be the same before and after.
 */

import { MARKS_PER_CHAR_MAX } from "../limits.ts";
import {
  BLACK_FLAG,
  CURSIVE,
  EACH_CLUSTER,
  EMOJI_PRESENTATION,
  EMOJI_SELECTOR,
  FLAG_REGIONS,
  JOINER,
  JOINING,
  KEYCAP,
  KEYCAP_BASE,
  longRunsOfMarks,
  MARK,
  ONLY_MARKS,
  PICTOGRAPH,
  PICTOGRAPH_OR_SKIN_TONE,
  SELECTOR,
  VARIATIONS,
  VIRAMA,
  ZERO_WIDTH_JOINER,
} from "./text-characters.ts";

const LONG_RUNS_OF_MARKS = longRunsOfMarks(MARKS_PER_CHAR_MAX);

/** A character and what has been kept of those that depend on it. */
interface Cluster {
  readonly base: string;
  kept: string;
  /** The last character kept, at first the base. */
  previous: string;
  marks: number;
  hasVirama: boolean;
}

/**
 * Removes dependent characters out of place and returns the text in NFC.
 *
 * Judged in NFD, because the number of marks and the virama can hide inside a composed character.
 * What is kept is judged the same again, composed or not and however its marks are ordered, so a
 * second pass changes nothing.
 */
export function settleClusters(text: string): string {
  // Normalising sorts marks at a cost of their number squared (half a minute for 256 KiB): bound them first.
  const bounded = text.replace(LONG_RUNS_OF_MARKS, "$1");
  return bounded.normalize("NFD").replace(EACH_CLUSTER, settleCluster).normalize("NFC");
}

function settleCluster(match: string, base: string, dependents: string, at: number, text: string): string {
  // Accents and vowel signs in ordinary number, which is nearly always.
  if (dependents.length <= MARKS_PER_CHAR_MAX && ONLY_MARKS.test(dependents)) return match;

  const after = text.codePointAt(at + match.length);
  const points = [...dependents];
  if (after !== undefined) points.push(String.fromCodePoint(after));
  const length = after === undefined ? points.length : points.length - 1;

  const cluster: Cluster = { base, kept: "", previous: base, marks: 0, hasVirama: false };
  for (let index = 0; index < length; index++) {
    const region = flagRegionAt(cluster, points, index);
    if (region !== undefined) {
      keep(cluster, region);
      index += [...region].length - 1;
      continue;
    }
    const point = points[index] ?? "";
    if (belongs(cluster, point, points[index + 1] ?? "")) keep(cluster, point);
  }
  return base + cluster.kept;
}

function keep(cluster: Cluster, points: string): void {
  cluster.kept += points;
  cluster.previous = points;
  if (MARK.test(points)) cluster.marks++;
  if (VIRAMA.test(points)) cluster.hasVirama = true;
}

function belongs(cluster: Cluster, point: string, next: string): boolean {
  if (MARK.test(point)) return cluster.marks < MARKS_PER_CHAR_MAX;
  if (JOINER.test(point)) return joinsEmoji(cluster, point, next) || joinsLetters(cluster, point, next);
  if (SELECTOR.test(point)) return cluster.kept === "" && canVary(cluster.base, point, next);
  // A tag that is not part of a flag.
  return false;
}

/** The tags of a whole flag, if they begin here and directly after a black flag. */
function flagRegionAt(cluster: Cluster, points: readonly string[], index: number): string | undefined {
  if (cluster.base !== BLACK_FLAG || cluster.kept !== "") return undefined;
  const longest = points.slice(index, index + 6).join("");
  return FLAG_REGIONS.find((region) => longest.startsWith(region));
}

function joinsEmoji(cluster: Cluster, joiner: string, next: string): boolean {
  if (joiner !== ZERO_WIDTH_JOINER || !PICTOGRAPH.test(next)) return false;
  if (cluster.kept === "") return PICTOGRAPH_OR_SKIN_TONE.test(cluster.base);
  return cluster.kept === EMOJI_PRESENTATION;
}

/** Where a joiner changes how letters are written; near the rules of RFC 5892, appendix A, and a little wider. */
function joinsLetters(cluster: Cluster, joiner: string, next: string): boolean {
  if (JOINER.test(cluster.previous)) return false;
  if (cluster.hasVirama) return true;
  if (!JOINING.test(cluster.base)) return false;
  if (joiner === ZERO_WIDTH_JOINER && CURSIVE.test(cluster.base)) return true;
  return MARK.test(next) ? cluster.marks < MARKS_PER_CHAR_MAX : JOINING.test(next);
}

function canVary(base: string, selector: string, next: string): boolean {
  if (KEYCAP_BASE.test(base)) return next === KEYCAP && EMOJI_SELECTOR.test(selector);
  return VARIATIONS.some((variation) => variation.base.test(base) && variation.selector.test(selector));
}

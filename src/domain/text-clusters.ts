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
  type DependentKind,
  dependentKind,
  EACH_CLUSTER,
  EMOJI_PRESENTATION,
  EMOJI_SELECTOR,
  FLAG_REGIONS,
  JOINING,
  KEYCAP,
  KEYCAP_BASE,
  longRunsOfMarks,
  MARK,
  ONLY_MARKS,
  PICTOGRAPH,
  PICTOGRAPH_OR_SKIN_TONE,
  VARIATIONS,
  VIRAMA,
  ZERO_WIDTH_JOINER,
} from "./text-characters.ts";

const LONG_RUNS_OF_MARKS = longRunsOfMarks(MARKS_PER_CHAR_MAX);

/**
 * A character and what has been kept of those that depend on it. Characters are numbers here wherever
 * they can be: a text of nothing but dependent ones would else be cut into as many strings.
 */
interface Cluster {
  readonly base: string;
  kept: string;
  keptLast: DependentKind | undefined;
  marks: number;
  hasVirama: boolean;
  /** The selectors its base can have, and whether its base joins; from when they are first asked for. */
  selectors: readonly RegExp[] | undefined;
  joining: boolean | undefined;
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
  const cluster: Cluster = {
    base,
    kept: "",
    keptLast: undefined,
    marks: 0,
    hasVirama: false,
    selectors: undefined,
    joining: undefined,
  };
  for (let index = 0; index < dependents.length; ) {
    const region = flagRegionAt(cluster, dependents, index);
    if (region !== undefined) {
      keep(cluster, "tag", region);
      index += region.length;
      continue;
    }
    const point = dependents.codePointAt(index) ?? 0;
    index += point > 0xffff ? 2 : 1;
    const next = dependents.codePointAt(index) ?? after;
    const kind = dependentKind(point);
    if (belongs(cluster, kind, point, next)) keep(cluster, kind, String.fromCodePoint(point));
  }
  return base + cluster.kept;
}

function keep(cluster: Cluster, kind: DependentKind, characters: string): void {
  cluster.kept += characters;
  cluster.keptLast = kind;
  if (kind !== "mark") return;
  cluster.marks++;
  if (VIRAMA.test(characters)) cluster.hasVirama = true;
}

/** @param next the character after it, whatever it is; undefined at the end of the text */
function belongs(cluster: Cluster, kind: DependentKind, point: number, next: number | undefined): boolean {
  switch (kind) {
    case "mark":
      return cluster.marks < MARKS_PER_CHAR_MAX;
    case "joiner":
      return joinsEmoji(cluster, point, next) || joinsLetters(cluster, point, next);
    case "selector":
      return cluster.kept === "" && canVary(cluster, point, next);
    case "tag":
      // Not part of a flag.
      return false;
  }
}

function isA(pattern: RegExp, character: number | undefined): boolean {
  return character !== undefined && pattern.test(String.fromCodePoint(character));
}

/** The tags of a whole flag, if they begin here and directly after a black flag. */
function flagRegionAt(cluster: Cluster, dependents: string, index: number): string | undefined {
  if (cluster.base !== BLACK_FLAG || cluster.kept !== "") return undefined;
  return FLAG_REGIONS.find((region) => dependents.startsWith(region, index));
}

function joinsEmoji({ base, kept }: Cluster, joiner: number, next: number | undefined): boolean {
  if (joiner !== ZERO_WIDTH_JOINER || (kept !== "" && kept !== EMOJI_PRESENTATION)) return false;
  return isA(PICTOGRAPH, next) && (kept !== "" || PICTOGRAPH_OR_SKIN_TONE.test(base));
}

/** Where a joiner changes how letters are written; near the rules of RFC 5892, appendix A, and a little wider. */
function joinsLetters(cluster: Cluster, joiner: number, next: number | undefined): boolean {
  if (cluster.keptLast === "joiner") return false;
  if (cluster.hasVirama) return true;
  cluster.joining ??= JOINING.test(cluster.base);
  if (!cluster.joining) return false;
  if (joiner === ZERO_WIDTH_JOINER && CURSIVE.test(cluster.base)) return true;
  return isA(MARK, next) ? cluster.marks < MARKS_PER_CHAR_MAX : isA(JOINING, next);
}

function canVary(cluster: Cluster, selector: number, next: number | undefined): boolean {
  cluster.selectors ??= selectorsOf(cluster.base);
  // A keycap's selector stands between a digit and the keycap.
  if (KEYCAP_BASE.test(cluster.base) && next !== KEYCAP) return false;
  return cluster.selectors.some((pattern) => isA(pattern, selector));
}

function selectorsOf(base: string): readonly RegExp[] {
  if (KEYCAP_BASE.test(base)) return [EMOJI_SELECTOR];
  return VARIATIONS.filter((variation) => variation.base.test(base)).map((variation) => variation.selector);
}

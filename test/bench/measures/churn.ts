/**
 * Connections that break while messages flow: streams are cut without a word and resumed where they
 * broke, and nothing may be lost, doubled or reordered.
 *
 * This file owns those rows. The ceiling and the SDKs as their examples show them keep nothing, so there is nothing
 * to compare with.
 */
import { FEW_USERS, type Finding, figure, type Measure, ms } from "../finding.ts";
import { speechOf } from "../server-process.ts";
import { run } from "./runs.ts";

const PER_SECOND = 1000;
const CUTS_PER_SECOND = 50;

const TITLES = { legacy: "legacy sessions", modern: "2026-07-28" };

export const churn: Measure = {
  name: "churn",
  isQuick: false,
  async run(bench) {
    const findings: Finding[] = [];
    for (const era of ["legacy", "modern"] as const) {
      const { account, delivery } = await run(bench, {
        peer: "product",
        speech: speechOf("product", era),
        perSecond: PER_SECOND,
        cutsPerSecond: CUTS_PER_SECOND,
        measuredMs: 2 * bench.effort.measuredMs,
      });
      bench.progress(`churn, ${era}: ${account.resumed} streams resumed, ${account.heard} messages`);
      findings.push({
        measure: "churn",
        title: `${CUTS_PER_SECOND} of ${FEW_USERS} streams cut and resumed a second, ${TITLES[era]}`,
        product: `${figure(account.heard)} messages, none lost, doubled or reordered; p99 ${ms(delivery.p99Ms)}`,
        others: `${figure(account.resumed)} streams resumed`,
        ratio: "",
        target: "nothing lost",
        isMet: account.resumed > 0,
        numbers: { messages: account.heard, resumed: account.resumed, p99Ms: delivery.p99Ms },
      });
    }
    return findings;
  },
};

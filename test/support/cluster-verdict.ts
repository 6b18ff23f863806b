/**
 * What has to be true of a cluster and the guests who chatted on it when everything has been said.
 *
 * This file owns that verdict. It must never mend anything.
 */

import { expect } from "bun:test";
import type { Cluster } from "./cluster.ts";
import type { Party } from "./cluster-party.ts";

/** All has been said: nothing was lost, doubled or made up, all nodes say the same, and none complains. */
export async function expectAllWell(cluster: Cluster, party: Party): Promise<void> {
  await party.settle();
  expect(await party.faults()).toEqual([]);
  expect(await cluster.differences(party.streams())).toEqual([]);
  expect(cluster.complaints()).toEqual([]);
}

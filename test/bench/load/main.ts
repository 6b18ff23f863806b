/**
 * The load process: takes one order after the other from the process that started it, and ends
 * with it.
 *
 * This file owns the reading of orders. It must never decide what is measured.
 */
import { arrive, initialize } from "./arrivals.ts";
import { traffic } from "./connections.ts";
import { Crowd, inParallel, nowUs } from "./crowd.ts";
import { flow, greet } from "./flow.ts";
import { Latencies } from "./latencies.ts";
import type { OrderMessage, OrderName, Orders, ReportMessage } from "./orders.ts";
import { spent } from "./usage.ts";
import { watch } from "./watch.ts";

type Carriers = { readonly [Name in OrderName]: (order: Orders[Name]["order"]) => Promise<Orders[Name]["report"]> };

let crowd: Crowd | undefined;

function theCrowd(): Crowd {
  if (crowd === undefined) throw new Error("nobody has been gathered");
  return crowd;
}

const CARRIERS: Carriers = {
  gather(order) {
    crowd?.disperse();
    const people = new Crowd(order);
    crowd = people;
    return spent(order.serverPid, () => people.gather());
  },
  async greet() {
    await greet(theCrowd());
    return {};
  },
  flow: (order) => flow(theCrowd(), order),
  initialize: (order) => spent(order.serverPid, () => initialize(order)),
  arrive: (order) => spent(order.serverPid, () => arrive(order)),
  async enter({ from, to }) {
    const people = theCrowd();
    const times = new Latencies();
    await inParallel(to - from, people.connections.length, async (n) => {
      const beganUs = nowUs();
      await people.enter(from + n);
      times.add(nowUs() - beganUs);
    });
    return times.spread();
  },
  async cut({ from, to, step }) {
    theCrowd().cut(from, to, step);
    return {};
  },
  watch,
  async account() {
    const { ledger, refused, dropped, resumed, complaint } = theCrowd();
    return { ...ledger.account(), refused, dropped, resumed, complaint, ...traffic };
  },
};

async function carryOut<Name extends OrderName>({ name, order }: OrderMessage<Name>): Promise<ReportMessage> {
  try {
    return { report: await CARRIERS[name](order) };
  } catch (problem) {
    return { failure: `${name}: ${problem instanceof Error ? problem.message : String(problem)}` };
  }
}

process.on("message", (message: OrderMessage) => {
  carryOut(message).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit(0));

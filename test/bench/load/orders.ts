/**
 * What the load process can be told to do, and what it reports: plain values that cross from one
 * process to the other.
 *
 * This file owns those shapes. It must never hold code that runs.
 */
import type { Gathering } from "./crowd.ts";
import type { Flow, FlowReport } from "./flow.ts";
import type { Spread } from "./latencies.ts";
import type { Account } from "./ledger.ts";
import type { Spent } from "./usage.ts";

/** The state of the crowd: who heard what, and what went wrong. */
export interface CrowdReport extends Account {
  readonly refused: number;
  readonly dropped: number;
  readonly resumed: number;
  /** The first thing that went wrong. */
  readonly complaint: string | undefined;
  /** By this process, HTTP included. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** Sessions that are opened and never used. */
export interface Initializing {
  readonly port: number;
  readonly sessions: number;
  readonly connections: number;
}

/** Pairs of arrivals: one that waits, and one that is matched at once, so that the queue keeps its length. */
export interface Arriving {
  readonly port: number;
  readonly arrivals: number;
  readonly connections: number;
  /** Interests the arrivals have, out of so many that everybody draws from. */
  readonly interests: number;
  readonly vocabulary: number;
  /** Whether a match follows each arrival that waits; else the queue grows. */
  readonly matched: boolean;
}

/** Somebody who asks the cheapest question over and over, to see how long the server is deaf. */
export interface Watching {
  readonly port: number;
  readonly ms: number;
  /** Between two questions. */
  readonly everyMs: number;
}

/** Every order, and its report. */
export interface Orders {
  gather: { readonly order: Gathering & { readonly serverPid: number }; readonly report: Spent };
  greet: { readonly order: Record<never, never>; readonly report: Record<never, never> };
  flow: { readonly order: Flow; readonly report: FlowReport };
  initialize: { readonly order: Initializing & { readonly serverPid: number }; readonly report: Spent };
  arrive: { readonly order: Arriving & { readonly serverPid: number }; readonly report: Spent };
  enter: { readonly order: { readonly from: number; readonly to: number }; readonly report: Spread };
  cut: {
    readonly order: { readonly from: number; readonly to: number; readonly step: number };
    readonly report: Record<never, never>;
  };
  watch: { readonly order: Watching; readonly report: Spread };
  account: { readonly order: Record<never, never>; readonly report: CrowdReport };
}

export type OrderName = keyof Orders;

/** What goes to the load process. */
export interface OrderMessage<Name extends OrderName = OrderName> {
  readonly name: Name;
  readonly order: Orders[Name]["order"];
}

/** What comes back, one for each order. */
export type ReportMessage = { readonly report: unknown } | { readonly failure: string };

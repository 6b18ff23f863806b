/**
 * Messages flowing: everybody once, as many as can be (a closed loop), or so many a second.
 *
 * This file owns when somebody speaks. A closed loop has one message under way per connection; a
 * fixed rate sends when it is time, whether or not earlier ones have been answered.
 */
import type { Job, PostConnection } from "./connections.ts";
import { type Crowd, nowUs } from "./crowd.ts";
import type { Spread } from "./latencies.ts";
import { type Spent, startSpending } from "./usage.ts";

/** How messages flow. */
export interface Flow {
  /** Messages a second by everybody together; 0 = as many as the server answers. */
  readonly perSecond: number;
  /** Before it is measured. */
  readonly warmupMs: number;
  readonly measuredMs: number;
  /** Streams that are cut and resumed a second meanwhile. */
  readonly cutsPerSecond: number;
  /** Process of the server, whose processor time is read. */
  readonly serverPid: number;
  /** Whether this process may keep a core busy to be exact about times; else it sleeps between messages. */
  readonly maySpin: boolean;
}

/** What was seen while it was measured. */
export interface FlowReport extends Spent {
  /** Heard by their receivers within the time. */
  readonly messages: number;
  readonly delivery: Spread;
}

const US_PER_S = 1_000_000;

/** How long what is under way may take to arrive when nothing more is sent, in milliseconds. */
const DRAIN_MS_MAX = 8000;

/** Waits until `isTrue`, at most so long. */
async function until(isTrue: () => boolean, msMax: number): Promise<boolean> {
  const end = performance.now() + msMax;
  while (!isTrue()) {
    if (performance.now() > end) return false;
    await Bun.sleep(2);
  }
  return true;
}

/**
 * Waits until every message that was accepted has been heard, or nothing more comes.
 * @param missing messages that are not waited for
 */
export async function drain(crowd: Crowd, missing = 0): Promise<void> {
  const isOver = (): boolean => {
    if (crowd.connections.some((connection) => connection.pending > 0)) return false;
    const { accepted, heard } = crowd.ledger.account();
    return heard >= accepted - missing;
  };
  await until(isOver, DRAIN_MS_MAX);
}

/** Everybody says one thing, and everything is heard, but for what is known to be missing. */
export async function greet(crowd: Crowd, missing = 0): Promise<void> {
  for (let user = 0; user < crowd.size; user++) crowd.connectionOf(user).ask(messageJob(crowd, user));
  await drain(crowd, missing);
}

function messageJob(crowd: Crowd, user: number): Job {
  return {
    request: () => crowd.nextMessage(user),
    answered: (reply) => crowd.noteAnswer(user, reply),
    failed: (reason) => crowd.noteFailure(reason),
  };
}

/** Lets messages flow and says what came of it. */
export async function flow(
  crowd: Crowd,
  { perSecond, warmupMs, measuredMs, cutsPerSecond, ...rest }: Flow,
): Promise<FlowReport> {
  const stop = perSecond === 0 ? startClosedLoop(crowd) : startFixedRate(crowd, perSecond, rest.maySpin);
  const stopCutting = startCutting(crowd, cutsPerSecond);
  await Bun.sleep(warmupMs);
  const report = await measure(crowd, measuredMs, rest.serverPid);
  stop();
  stopCutting();
  // What could not be sent in time shows in the rate; it is not sent late.
  for (const connection of crowd.connections) connection.dropWaiting();
  await drain(crowd);
  return report;
}

async function measure(crowd: Crowd, measuredMs: number, serverPid: number): Promise<FlowReport> {
  crowd.latencies.clear();
  crowd.isMeasuring = true;
  const heardBefore = crowd.ledger.heard;
  const end = startSpending(serverPid);
  await Bun.sleep(measuredMs);
  const spent = end();
  const messages = crowd.ledger.heard - heardBefore;
  crowd.isMeasuring = false;
  return { ...spent, messages, delivery: crowd.latencies.spread() };
}

// --- as many as can be --------------------------------------------------------------------------

/** One message under way on each connection, by its users in turn. @returns how to stop */
function startClosedLoop(crowd: Crowd): () => void {
  const loops = crowd.connections.map((connection, first) => new ClosedLoop(crowd, connection, first));
  for (const loop of loops) loop.start();
  return () => {
    for (const loop of loops) loop.stop();
  };
}

class ClosedLoop implements Job {
  readonly #crowd: Crowd;
  readonly #connection: PostConnection;
  readonly #first: number;
  #user: number;
  #stopped = false;

  constructor(crowd: Crowd, connection: PostConnection, first: number) {
    this.#crowd = crowd;
    this.#connection = connection;
    this.#first = first;
    this.#user = first;
  }

  start(): void {
    this.#connection.ask(this);
  }

  stop(): void {
    this.#stopped = true;
  }

  request(): Uint8Array {
    return this.#crowd.nextMessage(this.#user);
  }

  answered(reply: PostConnection): void {
    this.#crowd.noteAnswer(this.#user, reply);
    this.#proceed();
  }

  failed(reason: string): void {
    this.#crowd.noteFailure(reason);
    this.#proceed();
  }

  #proceed(): void {
    if (this.#stopped) return;
    this.#user += this.#crowd.connections.length;
    if (this.#user >= this.#crowd.size) this.#user = this.#first;
    this.#connection.ask(this);
  }
}

// --- so many a second ---------------------------------------------------------------------------

/** Messages sent at once at most, so that a late start does not become a burst without end. */
const BURST_MAX = 1000;

/** @returns how to stop */
function startFixedRate(crowd: Crowd, perSecond: number, maySpin: boolean): () => void {
  const startedUs = nowUs();
  const everyUs = US_PER_S / perSecond;
  const order = shuffled(crowd.size);
  let sent = 0;
  let stopped = false;
  const sendDue = (): void => {
    if (stopped) return;
    const due = Math.min((nowUs() - startedUs) / everyUs, sent + BURST_MAX);
    for (; sent < due; sent++) {
      const user = order[sent % order.length] ?? 0;
      crowd.connectionOf(user).ask(messageJob(crowd, user));
    }
    if (maySpin) setImmediate(sendDue);
    else setTimeout(sendDue, 1);
  };
  sendDue();
  return () => {
    stopped = true;
  };
}

/** 0 … count - 1, in an order that is the same in every run. */
function shuffled(count: number): readonly number[] {
  const order = Array.from({ length: count }, (_, n) => n);
  let random = 1;
  for (let at = count - 1; at > 0; at--) {
    random = (random * 48_271) % 2_147_483_647;
    const other = random % (at + 1);
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}

// --- broken connections -------------------------------------------------------------------------

function startCutting(crowd: Crowd, perSecond: number): () => void {
  if (perSecond === 0) return () => undefined;
  let user = 0;
  const timer = setInterval(() => {
    crowd.breakAndResume(user);
    // A step without a common divisor with most sizes, so that everybody has their turn and partners do not follow each other.
    user = (user + 37) % crowd.size;
  }, 1000 / perSecond);
  return () => clearInterval(timer);
}

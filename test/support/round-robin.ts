/**
 * A load balancer in front of several nodes: every request goes to the next one, whoever asks.
 *
 * This file owns the balancer's sockets. It reads of a request how long it is, and of an answer nothing; it
 * must never change a byte of either, unless a test asks for mischief.
 */

import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** What a test can do to one request, to see that somebody notices. */
export interface Mischief {
  /** The next node gets the request as well; what it answers is thrown away. */
  readonly isDoubled?: boolean;
  /** What becomes of a piece of the answer; undefined: the connection breaks instead. */
  answer?(piece: Buffer): Buffer | undefined;
}

/** How long a node that refused a connection is passed over. */
const DEAD_MS = 200;

const UNAVAILABLE = '{"jsonrpc":"2.0","error":{"code":-32603,"message":"no node is there"}}';
const NOBODY = `HTTP/1.1 502 Bad Gateway\r\ncontent-type: application/json\r\nretry-after: 1\r\ncontent-length: ${UNAVAILABLE.length}\r\n\r\n${UNAVAILABLE}`;

export class RoundRobin implements AsyncDisposable {
  readonly #server: Server;
  /** Ports of this machine, in the order of their turns. */
  readonly #nodes: number[] = [];
  readonly #deadUntil = new Map<number, number>();
  readonly #visits = new Set<Visit>();
  #turn = 0;
  /** How often a node ended a connection before its client did: broken streams, above all. */
  broken = 0;
  /** How many requests each port has been given. */
  readonly served = new Map<number, number>();
  /**
   * What is done when a node breaks off before the first byte of its answer. `false`: the client's connection
   * breaks, as nobody knows whether the request was obeyed. `true`: the next node gets it, as hasty balancers do.
   */
  isHasty = false;
  /** Asked about each request, as text. */
  meddle: ((request: string) => Mischief | undefined) | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (client) => {
      const visit: Visit = new Visit(this, client, () => this.#visits.delete(visit));
      this.#visits.add(visit);
    });
  }

  /** Starts to balance between these ports, which may change at any time. */
  static async start(ports: readonly number[] = []): Promise<RoundRobin> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const balancer = new RoundRobin(server);
    for (const port of ports) balancer.add(port);
    return balancer;
  }

  /** The MCP endpoint. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the balancer is closed");
    return `http://127.0.0.1:${address.port}/mcp`;
  }

  add(port: number): void {
    if (!this.#nodes.includes(port)) this.#nodes.push(port);
  }

  /** No new request goes there; what runs may end. */
  remove(port: number): void {
    const at = this.#nodes.indexOf(port);
    if (at !== -1) this.#nodes.splice(at, 1);
  }

  /** The port whose turn it is, of those that have not just refused; undefined if there is none. */
  next(): number | undefined {
    const now = performance.now();
    for (let tries = this.#nodes.length; tries > 0; tries--) {
      const port = this.#nodes[this.#turn++ % this.#nodes.length];
      if (port !== undefined && (this.#deadUntil.get(port) ?? 0) <= now) return port;
    }
    return undefined;
  }

  markDead(port: number): void {
    this.#deadUntil.set(port, performance.now() + DEAD_MS);
  }

  count(port: number): void {
    this.served.set(port, (this.served.get(port) ?? 0) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const visit of this.#visits) visit.end();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One connection of a client: its requests, one after the other, each on a connection of its own to some node. */
class Visit {
  readonly #balancer: RoundRobin;
  readonly #client: Socket;
  /** The request that is coming, or was passed on last. */
  #request = Buffer.alloc(0);
  #isPassedOn = false;
  #isAnswered = false;
  #node: Socket | undefined;
  #mischief: Mischief | undefined;

  constructor(balancer: RoundRobin, client: Socket, onEnd: () => void) {
    this.#balancer = balancer;
    this.#client = client;
    client.on("data", (bytes: Buffer) => this.#receive(bytes));
    client.on("error", () => client.destroy());
    client.on("close", () => {
      this.#dismiss();
      onEnd();
    });
  }

  end(): void {
    this.#client.destroy();
  }

  #receive(bytes: Buffer): void {
    // No client sends a request before the last one is answered, so what comes now is another one.
    if (this.#isPassedOn) {
      this.#dismiss();
      this.#request = Buffer.alloc(0);
      this.#isPassedOn = this.#isAnswered = false;
    }
    this.#request = Buffer.concat([this.#request, bytes]);
    if (!isWhole(this.#request)) return;
    this.#isPassedOn = true;
    this.#mischief = this.#balancer.meddle?.(this.#request.toString("latin1"));
    this.#passOn();
    if (this.#mischief?.isDoubled) this.#passOnUnheard();
  }

  #passOn(): void {
    const port = this.#balancer.next();
    if (port === undefined) {
      this.#client.end(NOBODY);
      return;
    }
    const node = dial({ host: "127.0.0.1", port, noDelay: true });
    this.#node = node;
    let isThere = false;
    node.on("connect", () => {
      isThere = true;
      this.#balancer.count(port);
      node.write(this.#request);
    });
    node.on("data", (piece: Buffer) => this.#answer(node, piece));
    node.on("error", () => node.destroy());
    node.on("close", () => {
      if (this.#node !== node) return;
      this.#node = undefined;
      if (!isThere) this.#balancer.markDead(port);
      else this.#balancer.broken++;
      // Refused: nothing of the request has arrived anywhere.
      if (!this.#isAnswered && (!isThere || this.#balancer.isHasty)) this.#passOn();
      else this.#client.destroySoon();
    });
  }

  #answer(node: Socket, piece: Buffer): void {
    if (this.#node !== node) return;
    this.#isAnswered = true;
    const changed = this.#mischief?.answer === undefined ? piece : this.#mischief.answer(piece);
    if (changed === undefined) this.#client.destroy();
    else if (changed.length > 0) this.#client.write(changed);
  }

  #passOnUnheard(): void {
    const port = this.#balancer.next();
    if (port === undefined) return;
    const node = dial({ host: "127.0.0.1", port });
    node.on("connect", () => node.write(this.#request));
    node.on("data", () => node.end());
    node.on("error", () => node.destroy());
  }

  #dismiss(): void {
    const node = this.#node;
    this.#node = undefined;
    node?.destroy();
  }
}

/** True if head and body are there. Clients of tests give the length of a body beforehand. */
function isWhole(request: Buffer): boolean {
  const end = request.indexOf("\r\n\r\n");
  if (end === -1) return false;
  const head = request.toString("latin1", 0, end);
  if (/^transfer-encoding:/im.test(head)) throw new Error("a body of unknown length cannot be balanced");
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const bytes = end + 4 + length;
  if (request.length > bytes) throw new Error("a second request before the first is answered");
  return request.length === bytes;
}

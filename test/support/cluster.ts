/**
 * A cluster as an operator runs it: a redis-server, nodes that share it, a balancer in front of them.
 *
 * This file owns the nodes' processes. It must never know what users do.
 */

import { z } from "zod";
import { type Program, startProgram } from "./program.ts";
import { RedisServer, type RedisServerOptions } from "./redis-server.ts";
import { Relay } from "./relay.ts";
import { RoundRobin } from "./round-robin.ts";

export interface ClusterOptions {
  readonly nodes: number;
  /** Settings of every node, as on its command line. */
  readonly settings?: readonly string[];
  /** Default: an append-only file that has everything before an answer. */
  readonly redis?: RedisServerOptions;
  /** Each node reaches Redis by a relay of its own, which a test can cut. */
  readonly isRelayed?: boolean;
}

/** One process of the cluster. */
export interface Node {
  readonly name: string;
  readonly program: Program;
  /** Between this node and Redis, if the cluster is relayed. */
  readonly relay: Relay | undefined;
}

const ADMIN_TOKEN = "operators-only-and-long-enough";
/** How long nodes may take to agree: longer than it takes to notice that one is lost. */
const AGREE_MS_MAX = 15_000;

const json = z.record(z.string(), z.unknown());
export type AdminAnswer = z.infer<typeof json>;

/** What the operator is told by one node. */
export async function askAdmin(node: Node, method: string, path: string, body?: object): Promise<AdminAnswer> {
  const response = await fetch(`${node.program.origin}/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = json.parse(await response.json());
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Nobody is slowed down, and nobody is paired with anybody who does not share an interest. */
const SETTINGS = ["--rate-messages-per-second", "0", "--rate-entries-per-second", "0", "--widen-seconds", "86400"];

export class Cluster implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly balancer: RoundRobin;
  readonly #options: ClusterOptions;
  readonly #nodes: Node[] = [];
  /** Those that run, and those that did. */
  readonly #all: Node[] = [];
  #named = 0;

  private constructor(redis: RedisServer, balancer: RoundRobin, options: ClusterOptions) {
    this.redis = redis;
    this.balancer = balancer;
    this.#options = options;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const redis = await RedisServer.start(options.redis ?? { append: "always" });
    const cluster = new Cluster(redis, await RoundRobin.start(), options);
    await Promise.all(Array.from({ length: options.nodes }, () => cluster.add()));
    return cluster;
  }

  /** The MCP endpoint behind which all nodes are. */
  get url(): string {
    return this.balancer.url;
  }

  /** Those that run, oldest first. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  node(index: number): Node {
    const node = this.#nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    return node;
  }

  /** Starts one more node; it gets requests as soon as it says that it listens. */
  async add(): Promise<Node> {
    const name = `node ${++this.#named}`;
    const relay = this.#options.isRelayed ? new Relay(this.redis.port) : undefined;
    const url = new URL(this.redis.url);
    if (relay !== undefined) url.port = String(relay.port);
    const program = await startProgram({
      kind: "source",
      args: ["serve", ...SETTINGS, ...(this.#options.settings ?? [])],
      env: { MCP_CHAT_REDIS: url.href, MCP_CHAT_ADMIN_TOKEN: ADMIN_TOKEN },
    });
    const node = { name, program, relay };
    this.#nodes.push(node);
    this.#all.push(node);
    this.balancer.add(program.port);
    return node;
  }

  /** Ends a node as a failing machine would. The balancer finds out by itself. */
  async kill(node: Node): Promise<void> {
    node.program.kill("SIGKILL");
    await node.program.exited;
    this.#forget(node);
  }

  /** Ends a node as an operator does: out of the balancer first, then SIGTERM. @returns its exit code */
  async stop(node: Node): Promise<number> {
    this.balancer.remove(node.program.port);
    const code = await node.program.stop();
    this.#forget(node);
    return code;
  }

  /** What any node has called an error so far: a state that has gone astray, a bug. */
  complaints(): string[] {
    return this.#all.flatMap(({ name, program }) =>
      program.stderr.split("\n").flatMap((line) => (/^\S+ error /.test(line) ? [`${name}: ${line}`] : [])),
    );
  }

  /**
   * What nodes tell differently, once nothing happens any more; empty if they hold the same state.
   * @param streams of each user, by public id: how many there are open
   */
  async differences(streams: ReadonlyMap<string, number>): Promise<string[]> {
    const end = performance.now() + AGREE_MS_MAX;
    for (;;) {
      const differences = await this.#compare(streams);
      if (differences.length === 0 || performance.now() > end) return differences;
      await Bun.sleep(100);
    }
  }

  async #compare(streams: ReadonlyMap<string, number>): Promise<string[]> {
    const paths = ["/rooms?limit=200", "/reports?state=all", "/bans", "/audit"];
    const users = [...streams.keys()].map((id) => `/users/${id}`);
    const told = await Promise.all(this.#nodes.map((node) => tell(node, ["/summary", ...paths, ...users])));
    const [first = new Map<string, AdminAnswer>()] = told;
    return this.#nodes.flatMap(({ name }, i) =>
      [...(told[i] ?? [])].flatMap(([path, answer]) => {
        const expected = streams.get(path.slice("/users/".length));
        if (expected !== undefined && answer.streams !== expected) {
          return [`${name}: ${path} has ${answer.streams} streams of ${expected}`];
        }
        const isSame = Bun.deepEquals({ ...answer, cluster: null }, { ...first.get(path), cluster: null });
        return isSame ? [] : [`${name}: ${path} is ${JSON.stringify(answer)}, not ${JSON.stringify(first.get(path))}`];
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { program } of this.#nodes) program.kill("SIGKILL");
    await Promise.all(this.#nodes.map(({ program }) => program.exited));
    for (const { relay } of this.#nodes) relay?.down();
    await this.balancer[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }

  #forget(node: Node): void {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    node.relay?.down();
  }
}

/** What a node says at each of these paths, one after the other. */
async function tell(node: Node, paths: readonly string[]): Promise<ReadonlyMap<string, AdminAnswer>> {
  const told = new Map<string, AdminAnswer>();
  for (const path of paths) told.set(path, await askAdmin(node, "GET", path));
  return told;
}

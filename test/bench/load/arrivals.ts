/**
 * Arrivals without a crowd: sessions that are opened and left alone, and people who only call tools.
 *
 * This file owns those requests. Nobody here listens, so nothing is kept of anybody.
 */
import { PostConnection } from "./connections.ts";
import { ask, inParallel } from "./crowd.ts";
import type { Arriving, Initializing } from "./orders.ts";
import { Requests } from "./requests.ts";

const nothing = (): undefined => undefined;

async function over(
  port: number,
  count: number,
  work: (connections: PostConnection[]) => Promise<void>,
): Promise<void> {
  const connections = Array.from({ length: count }, () => new PostConnection(port));
  await work(connections);
  for (const connection of connections) connection.close();
}

function pick(connections: readonly PostConnection[], n: number): PostConnection {
  const connection = connections[n % connections.length];
  if (connection === undefined) throw new Error("no connections");
  return connection;
}

/** Opens sessions to the end of the handshake, and never calls a tool. */
export function initialize({ port, sessions, connections }: Initializing): Promise<void> {
  const requests = new Requests({ era: "legacy", reading: "nothing" }, port);
  return over(port, connections, async (all) => {
    for (const one of all) one.wantsSession = true;
    await inParallel(sessions, connections, async (n) => {
      const connection = pick(all, n);
      const session = await ask(connection, requests.initialize(), (reply) => reply.session);
      await ask(connection, requests.initialized(session ?? ""), nothing);
    });
  });
}

/** What a person is interested in: some things are much more common than others, as among people. */
function interestsOf(person: number, count: number, vocabulary: number): string[] {
  const chosen = new Set<string>();
  for (let draw = 0; chosen.size < count && draw < 100; draw++) {
    const chance = ((person * 7919 + draw * 104_729 + 12_345) % 1_000_003) / 1_000_003;
    chosen.add(`interest ${Math.floor(chance * chance * vocabulary)}`);
  }
  return [...chosen];
}

/**
 * Agents who wait for a human; and, if it is asked for, a human after each, who is matched at once with whoever has
 * most in common: there is always the agent before, with one interest.
 */
export function arrive({ port, arrivals, connections, interests, vocabulary, matched }: Arriving): Promise<void> {
  const requests = new Requests({ era: "modern", reading: "nothing" }, port);
  return over(port, connections, (all) =>
    inParallel(arrivals, connections, async (n) => {
      const connection = pick(all, n);
      const ofAgent = interestsOf(2 * n, interests, vocabulary);
      const agent = { kind: "agent", partner_kind: "human", interests: ofAgent };
      expect("waiting", await ask(connection, requests.call(undefined, "enter_queue", agent), textOf));
      if (!matched) return;
      const ofHuman = [...ofAgent.slice(0, 1), ...interestsOf(2 * n + 1, interests - 1, vocabulary)];
      const human = { kind: "human", partner_kind: "agent", interests: [...new Set(ofHuman)] };
      expect("matched", await ask(connection, requests.call(undefined, "enter_queue", human), textOf));
    }),
  );
}

const textOf = (reply: { text(): string }): string => reply.text();

function expect(status: string, reply: string): void {
  if (!reply.includes(`"status":"${status}"`)) throw new Error(`not ${status}: ${reply.slice(0, 300)}`);
}

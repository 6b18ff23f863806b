/**
 * Somebody who asks the cheapest question over and over: however long the server looks at nothing
 * else, one of the answers is that late.
 *
 * This file owns those questions. It belongs in a process that does nothing beside.
 */
import { PostConnection } from "./connections.ts";
import { ask, nowUs } from "./crowd.ts";
import { Latencies, type Spread } from "./latencies.ts";
import type { Watching } from "./orders.ts";
import { Requests } from "./requests.ts";

/** @returns how long the answers took */
export async function watch({ port, ms, everyMs }: Watching): Promise<Spread> {
  const connection = new PostConnection(port);
  const requests = new Requests({ era: "modern", reading: "nothing" }, port);
  const times = new Latencies();
  const endUs = nowUs() + ms * 1000;
  // The first answer pays for the connection.
  await ask(connection, requests.health(), () => undefined);
  for (let dueUs = nowUs(); dueUs < endUs; dueUs = Math.max(dueUs + everyMs * 1000, nowUs())) {
    while (nowUs() < dueUs) await Bun.sleep(Math.max(0, (dueUs - nowUs()) / 1000));
    const askedUs = nowUs();
    await ask(connection, requests.health(), () => undefined);
    times.add(nowUs() - askedUs);
  }
  connection.close();
  return times.spread();
}

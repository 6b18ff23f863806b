/**
 * The story that directories of earlier versions hold, made on a running server: official clients meet, talk,
 * are reported, banned and told things, and some of it is left unread.
 *
 * This file owns the story; that it is found again is for upgrade.test.ts. It is run with today's server there. The
 * next fixture is made by it, too: on the server that is to become an earlier version.
 */
import { z } from "zod";
import { type ChatClient, connect, type Flavour } from "./client-flavours.ts";
import { post, RawModern } from "./client-raw.ts";
import type { Program } from "./program.ts";

export const ADMIN_TOKEN = "operators-only-operators-only";

const identity = z.object({
  token: z.string().optional(),
  cursor: z.string().optional(),
  heard: z.array(z.string()).readonly(),
  session: z.object({ id: z.string(), revision: z.string(), lastEventId: z.string() }).optional(),
});

/** What people hold in their hands when the server is gone. */
export const heldSchema = z.object({
  madeAt: z.number(),
  people: z.record(z.string(), identity),
  endedSession: z.string(),
  closedRoom: z.string(),
  openRoom: z.string(),
  report: z.string(),
});
export type Held = z.infer<typeof heldSchema>;

const roomed = z.object({ room: z.object({ room_id: z.string() }) });

/** Has the story happen. The server is to end right after it, with everybody still connected but Ann. */
export async function makeWorld({ url, origin }: Program): Promise<{ readonly held: Held; leave(): Promise<void> }> {
  const people = new Map<string, ChatClient>();
  const come = async (name: string, flavour: Flavour): Promise<ChatClient> => {
    const client = await connect(flavour, url);
    people.set(name, client);
    return client;
  };
  /** The same person at a client that can call everything. */
  const as = async (client: ChatClient): Promise<RawModern> => {
    const raw = new RawModern(url);
    raw.token = (await client.identity()).token;
    return raw;
  };
  const operate = async (path: string, body: object): Promise<void> => {
    const answer = await post(`${origin}/admin${path}`, body, { authorization: `Bearer ${ADMIN_TOKEN}` });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  };

  // A room that is over: Ann blocks Bob.
  const ann = await come("ann", "v1");
  const bob = await come("bob", "v2-pinned");
  await ann.enter({ user_id: "ann", display_name: "Ann", kind: "human", interests: ["chess", "rain"] });
  const met = await bob.enter({ user_id: "bob", display_name: "Bob", kind: "agent", interests: ["rain", "tea"] });
  const closedRoom = roomed.parse(met.structuredContent).room.room_id;
  await ann.send("hello bob", "a-1");
  await bob.send("hello ann, it is wet");
  await bob.leave();
  for (let i = 0; i < 3; i++) await ann.hear();
  await (await as(ann)).call("block_partner", { room_id: closedRoom });

  // A room that ends with a report.
  const mallory = await come("mallory", "v2-pinned");
  const carl = await come("carl", "v2-legacy");
  await mallory.enter({ user_id: "mallory", display_name: "Mallory", interests: ["money"] });
  await carl.enter({ user_id: "carl", display_name: "Carl", kind: "human", interests: ["money", "rain"] });
  await mallory.send("buy my coins");
  for (let i = 0; i < 2; i++) await carl.hear();
  const reported = await (await as(carl)).call("report_partner", { category: "scam", details: "coins" });

  // A session that is over.
  const gone = await connect("v1", url);
  await gone.enter({ user_id: "gone", display_name: "Gone", interests: ["nothing"] });
  const { session } = await gone.identity();
  const endedSession = session?.id ?? "";
  await fetch(url, { method: "DELETE", headers: { "mcp-session-id": endedSession } });

  // A room that goes on.
  await ann.enter({ interests: ["rain"] });
  const again = await carl.enter({ interests: ["rain"] });
  const openRoom = roomed.parse(again.structuredContent).room.room_id;
  await carl.send("still raining here", "c-1");
  await ann.send("and here", "a-2");
  for (let i = 0; i < 2; i++) await Promise.all([ann.hear(), carl.hear()]);

  // One who waits, and one who waits for whoever knows the code.
  const frank = await come("frank", "v2-pinned");
  const about = { kind: "human", partner_kind: "human", interests: ["stamps"] };
  await frank.enter({ user_id: "frank", display_name: "Frank", ...about });
  const dora = new RawModern(url);
  await dora.call("join_room", { room_code: "blue tiger", display_name: "Dora" });

  await operate("/bans", { user_id: "mallory", note: "coins" });
  await operate("/bans", { address: "203.0.113.9", expires_in_seconds: 315_360_000 });
  await operate("/announcements", { text: "Tea is at five." });

  // Ann's line breaks, and what Carl says then she has not heard.
  const annHolds = await ann.identity();
  await ann.close();
  await carl.send("are you there", "c-2");
  const held: Held = { madeAt: Date.now(), people: { ann: annHolds }, endedSession, closedRoom, openRoom, report: "" };
  held.report = String(reported.structured.report_id);
  for (const [name, client] of people) if (name !== "ann") held.people[name] = await client.identity();
  held.people.dora = { token: dora.token, heard: [] };
  return {
    held,
    async leave() {
      for (const client of [...people.values(), gone]) await client.close().catch(() => undefined);
    },
  };
}

/** Stories of clients that look at what there is, revision by revision. */

import { expect } from "bun:test";
import { type Actor, HttpActor } from "../support/golden-actors.ts";
import type { Plain } from "../support/golden-layout.ts";
import { isJson, type Json } from "../support/golden-minutes.ts";
import { emptyHistory, type Stage } from "../support/golden-stage.ts";
import type { Story } from "./story.ts";

const { legacy, modern } = HttpActor;
const NEWEST = "2026-07-28";

/** A session from its very first message on. */
async function open(stage: Stage, revision: string): Promise<HttpActor> {
  const ann = HttpActor.stranger(stage, "Ann", { revision: revision === NEWEST ? NEWEST : "2025-11-25" });
  await ann.initialize(revision);
  return ann;
}

/** The items of a list, as they were listed. */
async function listed(actor: Actor, method: string, member: string): Promise<readonly Json[]> {
  const { result } = await actor.quietly(method, {});
  const items = isJson(result) ? result[member] : undefined;
  return Array.isArray(items) ? items.filter(isJson) : [];
}

/** The tools that have a story each. */
const TOOLS = [
  ...["enter_queue", "leave_queue", "join_room", "send_message", "wait_for_message", "set_typing", "get_history"],
  ...["chat_status", "leave_chat", "report_partner", "block_partner"],
];

/** The same where there is a history. */
const TOOLS_WITH_HISTORY = TOOLS.toSpliced(TOOLS.indexOf("report_partner"), 0, "forget_me");

/** All that a client is told of a tool. The schema of refusals, which is in every result, is told with the first. */
function describeTool(name: string): Story {
  return tellOfTool(`tool-${name}`, name, "", TOOLS);
}

function tellOfTool(file: string, name: string, where: string, all: readonly string[]): Story {
  return {
    file,
    proves: `All that a client of ${NEWEST} is told of ${name}${where}, for those who review its words and shapes.`,
    ...(all === TOOLS ? {} : { setting: async () => ({ history: await emptyHistory() }) }),
    async tell(stage) {
      const ann = modern(stage, "Ann");
      stage.minutes.sent("Ann", "POST", "tools/list");
      const tools = await listed(ann, "tools/list", "tools");
      expect(tools.map((tool) => tool.name)).toEqual([...all]);
      const tool = tools.find((candidate) => candidate.name === name) ?? {};
      const isFirst = tool === tools[0];
      stage.minutes.item(
        isFirst || !Bun.deepEquals(refusalOf(tool), refusalOf(tools[0])) ? tool : withoutRefusal(tool),
      );
    },
  };
}

/** The types of events that are told in a file of their own. */
const APART = ["server.announcement", "chat.activity", "partner.typing"];

function describeEvents(file: string, proves: string, isTold: (name: string) => boolean): Story {
  return {
    file,
    proves,
    async tell(stage) {
      const ann = modern(stage, "Ann");
      stage.minutes.sent("Ann", "POST", "events/list");
      const types = (await listed(ann, "events/list", "events")).filter(({ name }) => isTold(String(name)));
      for (const { inputSchema, ...type } of types) {
        const isSame = type.name !== types[0]?.name && Bun.deepEquals(inputSchema, types[0]?.inputSchema);
        stage.minutes.item({ ...type, inputSchema: isSame ? "as above" : (inputSchema ?? null) });
      }
    },
  };
}

function refusalOf(tool: Json | undefined): Plain {
  const schema = tool?.outputSchema;
  return isJson(schema) && isJson(schema.properties) ? (schema.properties.error ?? null) : null;
}

function withoutRefusal({ outputSchema, ...tool }: Json): Json {
  if (!isJson(outputSchema) || !isJson(outputSchema.properties)) return tool;
  const properties = { ...outputSchema.properties, error: `as in ${TOOLS[0]}` };
  return { ...tool, outputSchema: { ...outputSchema, properties } };
}

/** How the items of an older revision differ from those of the newest, which stand in files of their own. */
async function compare(stage: Stage, actor: Actor, newest: Actor, method: string, member: string): Promise<void> {
  stage.minutes.sent(actor.name, "POST", method);
  const items = await listed(actor, method, member);
  const full = await listed(newest, method, member);
  for (const [at, item] of full.entries()) stage.minutes.introduced(`    ${change(item, items[at])}`);
  if (items.length > full.length) throw new Error(`${method} lists more than in ${NEWEST}`);
}

function change(full: Json, item: Json | undefined): string {
  const name = JSON.stringify(full.name);
  if (item === undefined) return `${name} is not listed`;
  const gone = Object.keys(full).filter((key) => !(key in item));
  const other = Object.keys(item).filter((key) => !Bun.deepEquals(item[key], full[key]));
  const words = [
    ...(gone.length === 0 ? [] : [`without ${gone.join(", ")}`]),
    ...other.map((key) => `with ${key} ${JSON.stringify(item[key])}`),
  ];
  return words.length === 0 ? `${name} as in ${NEWEST}` : `${name} as in ${NEWEST}, ${words.join(", ")}`;
}

function discovery(revision: string, proves: string): Story {
  return {
    file: `discover-${revision}`,
    proves,
    async tell(stage) {
      const ann = await open(stage, revision);
      const newest = HttpActor.stranger(stage, "Newest", {});
      await compare(stage, ann, newest, "tools/list", "tools");
      await compare(stage, ann, newest, "prompts/list", "prompts");
      await compare(stage, ann, newest, "resources/list", "resources");
      await compare(stage, ann, newest, "resources/templates/list", "resourceTemplates");
      await compare(stage, ann, newest, "events/list", "events");
      await ann.request("ping");
      await ann.request("server/discover");
    },
  };
}

export const DISCOVERING: readonly Story[] = [
  discovery("2024-11-05", "What a client of 2024-11-05 is told: only what its revision has words for."),
  discovery("2025-03-26", "What a client of 2025-03-26 is told: annotations and completions came with it."),
  discovery("2025-06-18", "What a client of 2025-06-18 is told: titles and output schemas came with it."),
  discovery("2025-11-25", "What a client of 2025-11-25, the newest with sessions, is told."),
  {
    file: "discover-unknown",
    proves: "A client of a revision that nobody knows is offered the newest with sessions.",
    tell: async (stage) => {
      await open(stage, "2030-01-01");
    },
  },
  {
    file: "discover-2026-07-28",
    proves:
      "What a client of 2026-07-28 is told of the server, its prompts and its resources. Tools and events have files of their own.",
    setting: { showsInstructions: true },
    async tell(stage) {
      const ann = modern(stage, "Ann");
      await ann.request("server/discover", {}, { layout: "tree" });
      await ann.request("prompts/list", {}, { layout: "tree" });
      await ann.request("resources/list", {}, { layout: "tree" });
      await ann.request("resources/templates/list", {}, { layout: "tree" });
    },
  },
  ...TOOLS.map(describeTool),
  ...["forget_me", "get_history"].map((name) =>
    tellOfTool(`history-${name}`, name, " by a server with a history", TOOLS_WITH_HISTORY),
  ),
  describeEvents(
    "events-described",
    "Types of events as clients of MCP Events read them: what happens in a chat. None takes arguments.",
    (name) => !APART.includes(name),
  ),
  describeEvents(
    "events-described-apart",
    "The other types of events: the operator's words, the feed of everything, and what is live only.",
    (name) => APART.includes(name),
  ),
  {
    file: "prompts",
    proves:
      "What a person picks from a menu becomes words for the model; what is typed is completed from what others wait with, and must be fit for others to see.",
    async tell(stage) {
      const ann = await legacy(stage, "Ann");
      await ann.request("prompts/get", { name: "meet_somebody" }, { layout: "tree" });
      await ann.request(
        "prompts/get",
        { name: "meet_somebody", arguments: { interests: "Chess, gardening", name: "Ann" } },
        { layout: "tree" },
      );
      await ann.request("prompts/get", { name: "carry_on" }, { layout: "tree" });
      await ann.request("prompts/get", { name: "meet_somebody", arguments: { name: "\u0007" } });
      await ann.request("prompts/get", { name: "sing" });
      const bob = modern(stage, "Bob");
      await bob.request("prompts/get", { name: "carry_on" }, { layout: "tree" });
      await bob.call("enter_queue", { display_name: "Bob", interests: ["chess", "cheese", "gardening"] });
      const ref = { type: "ref/prompt", name: "meet_somebody" };
      await bob.request("completion/complete", { ref, argument: { name: "interests", value: "garden" } });
      await ann.request("completion/complete", { ref, argument: { name: "interests", value: "gardening, ch" } });
      await ann.request("completion/complete", { ref, argument: { name: "shoe size", value: "" } });
      const rooms = { type: "ref/resource", uri: "chat://rooms/{room_id}" };
      await ann.call("enter_queue", { display_name: "Ann", interests: ["chess"] });
      await ann.request("completion/complete", { ref: rooms, argument: { name: "room_id", value: "room" } });
    },
  },
];

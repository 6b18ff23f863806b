/**
 * Everything people and programs chat with, behind one interface: tabs of a browser, a terminal's screen, lines
 * between pipes, events for a script, a bridge, and official clients of both protocol eras.
 *
 * This file owns what each of them does to enter, speak, hear and leave, and what it was told. Whatever it
 * reports, a person or program on that side has before them: it must never ask the server.
 */

import type { Browser, BrowserContext } from "playwright-core";
import { CHROMIUM, launchBrowser, Tab } from "./browser.ts";
import { within } from "./client-deadline.ts";
import { type ChatClient, type ChatEvent, connect, connectOverPipes } from "./client-flavours.ts";
import { FaceProcess, plainEnvironment } from "./face-process.ts";
import { CHECKOUT, type Program } from "./program.ts";
import { Tmux } from "./tmux.ts";

/** How a chat can end for whoever did not end it. */
export type End = "left" | "blocked" | "timeout";

/** Somebody who chats, one chat after the other. */
export interface Face extends AsyncDisposable {
  /** What partners are told they are called. */
  readonly name: string;
  /** What they cannot enter, each such piece with what comes of it. */
  readonly unenterable: readonly (readonly [piece: string, instead: string])[];
  /** Joins the queue. Nobody meets them but who names the same interest. */
  enter(interest: string): Promise<void>;
  /** Waits until they are told of a partner. @returns the partner's name */
  met(): Promise<string>;
  say(text: string): Promise<void>;
  /** Waits for so many messages of the partner's. @returns all of this chat, in the order shown */
  heard(count: number): Promise<string[]>;
  leave(): Promise<void>;
  /** Waits until they are told that the chat is over. */
  told(end: End): Promise<void>;
  /** What a stranger's text has done that no text may do, and what came twice. */
  mischief(): Promise<string[]>;
}

/** A face with all that a person has. */
export interface PersonFace extends Face {
  block(): Promise<void>;
  report(): Promise<void>;
  /** Waits until they see that they wait. */
  waits(): Promise<void>;
}

const ESCAPE = "\u001b";
const BELL = "\u0007";

/** An interest that nobody shares. */
const unshared = (): string => `alone ${++unsharedInterests}`;
let unsharedInterests = 0;

// --- the page -----------------------------------------------------------------------------------

const PAGE_SAYS: Readonly<Record<End, string>> = {
  left: "Your partner has left.",
  blocked: "This chat was closed.",
  timeout: "Your partner's connection was lost.",
};

export class PageFace implements PersonFace {
  readonly unenterable = [];
  readonly name: string;
  readonly tab: Tab;

  private constructor(name: string, tab: Tab) {
    this.name = name;
    this.tab = tab;
  }

  /** @param origin where the page is found, if not where the server says */
  static async open(name: string, server: Program, profile: BrowserContext, origin?: string): Promise<PageFace> {
    return new PageFace(name, await Tab.open({ server, profile }, "/", origin));
  }

  async enter(interest: string): Promise<void> {
    const change = this.tab.page.locator("#change");
    if (await change.isVisible()) await change.click();
    await this.tab.enter(this.name, interest);
    await this.tab.page.locator("#view-waiting:visible, #view-chat:visible").waitFor();
  }

  async waits(): Promise<void> {
    await this.tab.sees("waiting");
  }

  async met(): Promise<string> {
    await this.tab.sees("chat");
    return this.tab.page.innerText("#partner-name");
  }

  say(text: string): Promise<void> {
    return this.tab.say(text);
  }

  async heard(count: number): Promise<string[]> {
    if (count > 0) {
      await this.tab.page
        .locator(".theirs")
        .nth(count - 1)
        .waitFor();
    }
    return this.tab.page.locator(".theirs .text").allInnerTexts();
  }

  async leave(): Promise<void> {
    await this.tab.page.click("#leave");
    await this.tab.page.click("#confirm-yes");
    await this.tab.notice("You have left.");
  }

  async block(): Promise<void> {
    await this.tab.page.click("#more summary");
    await this.tab.page.click("#block");
    await this.tab.page.click("#confirm-yes");
    await this.tab.notice("You have blocked your partner.");
  }

  async report(): Promise<void> {
    await this.tab.page.click("#more summary");
    await this.tab.page.click("#report");
    await this.tab.page.selectOption("#category", "spam");
    await this.tab.page.click("#report-form button[type=submit]");
    await this.tab.notice("Thank you for the report.");
  }

  told(end: End): Promise<void> {
    return this.tab.notice(PAGE_SAYS[end]);
  }

  async mischief(): Promise<string[]> {
    const { page, complaints, strayRequests } = this.tab;
    const markup = await page.locator(".text *, #partner-name *, #view-chat a, #lines img").count();
    const notices = await page.locator(".notice").allInnerTexts();
    const ends = notices.filter((notice) => notice.includes(" has left")).length;
    return [
      ...complaints,
      ...strayRequests,
      ...((await page.title()).endsWith("mcp-chat") ? [] : [`the title is ${await page.title()}`]),
      ...(markup === 0 ? [] : [`${markup} elements in a stranger's text`]),
      ...(ends <= 1 ? [] : [`${ends} notices of one end`]),
    ];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.tab[Symbol.asyncDispose]();
  }
}

// --- the terminal's screen ----------------------------------------------------------------------

const TERMINAL_SAYS: Readonly<Record<End, string>> = {
  left: "* Your partner has left.",
  blocked: "* The chat is over: one of you wanted no more of it.",
  timeout: "* Your partner's connection was lost and they did not come back.",
};

/** Wide enough that nothing is broken, high enough for a chat of every test. */
const SCREEN = { columns: 160, rows: 40 };
const OWN_ROW = /^\d\d:\d\d ([*!>\u2026\u2717]) /;
const STRANGER_ROW = /^(?:(\d\d:\d\d)| {5}) \u2503 (.*)$/;
/** What a row is wrapped into so that nothing around it is reordered; a terminal may keep it. */
const ISOLATES = /[\u2068\u2069]/g;

export class ScreenFace implements PersonFace {
  // The keyboard has no such keys for a text, and in a paste they are left out.
  readonly unenterable = [
    [ESCAPE, ""],
    [BELL, ""],
  ] as const;
  readonly name: string;
  readonly #tmux = new Tmux();

  private constructor(name: string) {
    this.name = name;
  }

  static async open(name: string, url: string): Promise<ScreenFace> {
    const face = new ScreenFace(name);
    const unset = Object.keys(process.env).filter((variable) => variable.startsWith("MCP_CHAT_"));
    const words = ["chat", url, "--name", name, "--interests", unshared()];
    const command = [process.execPath, "src/main.ts", ...words].map((word) => `'${word}'`).join(" ");
    await face.#tmux.start(
      `${unset.map((variable) => `unset ${variable}; `).join("")}exec ${command}`,
      SCREEN.columns,
      SCREEN.rows,
    );
    await face.waits();
    await face.#command("/leave");
    await face.#tmux.shows(/ not in a chat /);
    return face;
  }

  async enter(interest: string): Promise<void> {
    await this.#command(`/interests ${interest}`);
    await this.#command("/next");
    await this.#tmux.shows(/^\u2500\u2500 (?:waiting|chatting) /m);
  }

  async waits(): Promise<void> {
    await this.#tmux.shows(/^\u2500\u2500 waiting /m);
  }

  async met(): Promise<string> {
    await this.#tmux.shows(/^\u2500\u2500 chatting /m);
    return STRANGER_ROW.exec((await this.#chat())[0] ?? "")?.[2] ?? "";
  }

  async say(text: string): Promise<void> {
    await this.#tmux.paste(text);
    await this.#tmux.type("Enter");
  }

  async heard(count: number): Promise<string[]> {
    let messages: string[] = [];
    await this.#tmux.shows((screen) => {
      messages = this.#messagesIn(chatOn(screen));
      return messages.length >= count;
    });
    return messages;
  }

  async leave(): Promise<void> {
    await this.#command("/leave");
    await this.#sees("* You have left the chat.");
  }

  async block(): Promise<void> {
    await this.#command("/block");
    await this.#sees("* You will not meet them again.");
  }

  async report(): Promise<void> {
    await this.#command("/report spam sells things");
    await this.#sees("* Reported as spam. You will not meet them again.");
  }

  async told(end: End): Promise<void> {
    await this.#sees(TERMINAL_SAYS[end]);
  }

  async mischief(): Promise<string[]> {
    const rows = await this.#chat();
    const ends = rows.filter((row) => row.includes(TERMINAL_SAYS.left) && OWN_ROW.test(row)).length;
    return [
      ...rows.filter(
        (row) => row !== "" && !OWN_ROW.test(row) && !STRANGER_ROW.test(row) && !row.startsWith("       "),
      ),
      ...(ends <= 1 ? [] : [`${ends} notices of one end`]),
    ];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#tmux[Symbol.asyncDispose]();
  }

  async #command(line: string): Promise<void> {
    await this.#tmux.type(line);
    await this.#tmux.type("Enter");
  }

  /** Waits for a row of the terminal's own since the last meeting. */
  async #sees(words: string): Promise<void> {
    await this.#tmux.shows((screen) =>
      chatOn(screen).some((row) => OWN_ROW.test(row) && row.slice(6).startsWith(words)),
    );
  }

  async #chat(): Promise<string[]> {
    return chatOn(await this.#tmux.shows(() => true));
  }

  #messagesIn(chat: readonly string[]): string[] {
    const messages: string[] = [];
    // The first of their rows is the name they go by.
    for (const row of chat.slice(1)) {
      const [, time, words = ""] = STRANGER_ROW.exec(row) ?? [];
      if (time !== undefined) messages.push(words.replace(/^[^:]*: /, ""));
      else if (STRANGER_ROW.test(row)) messages.push(`${messages.pop()}\n${words}`);
    }
    return messages;
  }
}

/** The rows since the last meeting, without the status line and what is below it. */
function chatOn(screen: string): string[] {
  const rows = screen.replace(ISOLATES, "").split("\n");
  const status = rows.findLastIndex((row) => row.startsWith("\u2500\u2500 "));
  const meeting = rows.findLastIndex((row) => OWN_ROW.test(row) && row.endsWith("They call themselves:"));
  return rows.slice(meeting + 1, status).map((row) => row.trimEnd());
}

// --- lines between pipes ------------------------------------------------------------------------

const LINE_BREAK = ["\n", " "] as const;
/** What may stand in output that no terminal is to obey. */
const ACTING = /[^\P{Cc}\n]/u;

/** `mcp-chat chat` without a terminal. */
export class PlainFace implements Face {
  readonly unenterable = [LINE_BREAK];
  readonly name: string;
  readonly #process: FaceProcess;
  #chat: string[] = [];

  private constructor(name: string, url: string) {
    this.name = name;
    this.#process = new FaceProcess(["chat", url, "--plain", "--name", name, "--interests", unshared()]);
  }

  static async open(name: string, url: string): Promise<PlainFace> {
    const face = new PlainFace(name, url);
    await face.#until((line) => line.includes(" * Waiting for a partner."));
    face.#process.write("/leave");
    await face.#until((line) => line.includes(" * You are not waiting any more."));
    return face;
  }

  async enter(interest: string): Promise<void> {
    this.#process.write(`/interests ${interest}`);
    this.#process.write("/next");
    await this.#until((line) => / \* (?:Waiting for a partner|You are connected)/.test(line));
  }

  async met(): Promise<string> {
    if (!this.#chat.some((line) => line.includes("You are connected"))) {
      await this.#until((line) => line.includes(" * You are connected"));
    }
    this.#chat = [];
    await this.#until((line) => SAID.test(line));
    return SAID.exec(this.#chat.pop() ?? "")?.[1] ?? "";
  }

  async say(text: string): Promise<void> {
    this.#process.write(text);
  }

  async heard(count: number): Promise<string[]> {
    while (this.#messages.length < count) await this.#until(() => true);
    return this.#messages;
  }

  async leave(): Promise<void> {
    this.#process.write("/leave");
    await this.#until((line) => line.includes(" * You have left the chat."));
  }

  async told(end: End): Promise<void> {
    await this.#until((line) => line.slice(9).startsWith(TERMINAL_SAYS[end]));
  }

  async mischief(): Promise<string[]> {
    return ACTING.test(this.#process.stdout) ? ["its output holds what a terminal obeys"] : [];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }

  get #messages(): string[] {
    const said = this.#chat.flatMap((line) => SAID.exec(line)?.[1] ?? []);
    return said.map((words) => words.replace(/^[^:]*: /, "").replaceAll("\u240a", "\n"));
  }

  async #until(isIt: (line: string) => boolean): Promise<void> {
    for (;;) {
      const line = await this.#process.line();
      this.#chat.push(line);
      if (isIt(line)) return;
    }
  }
}

const SAID = /^\d\d:\d\d:\d\d < (.*)$/;

// --- events -------------------------------------------------------------------------------------

/** What hears by events, however they come. */
abstract class EventFace implements Face {
  abstract readonly unenterable: Face["unenterable"];
  readonly name: string;
  /** Of this chat. */
  protected events: Pick<ChatEvent, "name" | "data">[] = [];

  constructor(name: string) {
    this.name = name;
  }

  abstract enter(interest: string): Promise<void>;
  abstract say(text: string): Promise<void>;
  abstract leave(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;
  protected abstract next(): Promise<Pick<ChatEvent, "name" | "data">>;

  async met(): Promise<string> {
    this.events = [];
    const { name, data } = await this.#hear();
    const partner: unknown = data.partner;
    const isPartner = typeof partner === "object" && partner !== null && "display_name" in partner;
    if (name !== "chatroom.found" || !isPartner) throw new Error(`${name} before a meeting`);
    return String(partner.display_name);
  }

  async heard(count: number): Promise<string[]> {
    while (this.#messages.length < count) await this.#hear();
    return this.#messages;
  }

  async told(end: End): Promise<void> {
    for (;;) {
      const { name, data } = await this.#hear();
      if (name !== "partner.disconnected") continue;
      if (data.reason !== end) throw new Error(`the chat ended by ${data.reason}, not by ${end}`);
      return;
    }
  }

  async mischief(): Promise<string[]> {
    const expected = ["chatroom.found", "message.received", "partner.away", "partner.back", "partner.disconnected"];
    return this.events.filter(({ name }) => !expected.includes(name)).map(({ name }) => `an event ${name}`);
  }

  get #messages(): string[] {
    return this.events.flatMap(({ name, data }) => (name === "message.received" ? [String(data.message)] : []));
  }

  async #hear(): Promise<Pick<ChatEvent, "name" | "data">> {
    const event = await this.next();
    this.events.push(event);
    return event;
  }
}

/** `mcp-chat tail --enter --json`: one process for every chat, as scripts do it. */
export class TailFace extends EventFace {
  readonly unenterable = [LINE_BREAK];
  readonly #url: string;
  #process: FaceProcess | undefined;

  constructor(name: string, url: string) {
    super(name);
    this.#url = url;
  }

  async enter(interest: string): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    const wishes = ["--name", this.name, "--interests", interest];
    this.#process = new FaceProcess(["tail", this.#url, "--enter", "--json", ...wishes]);
  }

  async say(text: string): Promise<void> {
    this.#running.write(text);
  }

  async leave(): Promise<void> {
    this.#running.signal("SIGINT");
    await this.#end();
  }

  override async told(end: End): Promise<void> {
    await super.told(end);
    await this.#end();
  }

  override async mischief(): Promise<string[]> {
    const isActing = ACTING.test(this.#running.stdout);
    return [...(await super.mischief()), ...(isActing ? ["its output holds what a terminal obeys"] : [])];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }

  protected next(): Promise<Pick<ChatEvent, "name" | "data">> {
    return this.#running.event() as Promise<ChatEvent>;
  }

  get #running(): FaceProcess {
    if (this.#process === undefined) throw new Error("it has not been started");
    return this.#process;
  }

  async #end(): Promise<void> {
    const { code, stderr } = await this.#running.ended();
    if (code !== 0 || stderr !== "") throw new Error(`mcp-chat tail ended with ${code}: ${stderr}`);
  }
}

/** An official client. */
export class SdkFace extends EventFace {
  readonly unenterable = [];
  readonly #client: ChatClient;

  constructor(name: string, client: ChatClient) {
    super(name);
    this.#client = client;
  }

  async enter(interest: string): Promise<void> {
    refuseRefusal(await this.#client.enter({ display_name: this.name, interests: [interest] }));
  }

  async say(text: string): Promise<void> {
    refuseRefusal(await this.#client.send(text));
  }

  async leave(): Promise<void> {
    refuseRefusal(await this.#client.leave());
  }

  override async mischief(): Promise<string[]> {
    const repeats = await this.#client.repeats();
    return [...(await super.mischief()), ...(repeats === 0 ? [] : [`${repeats} events came twice`])];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.close();
  }

  protected next(): Promise<ChatEvent> {
    return this.#client.hear();
  }
}

function refuseRefusal({ isError, structuredContent }: Awaited<ReturnType<ChatClient["send"]>>): void {
  if (isError) throw new Error(`refused: ${JSON.stringify(structuredContent)}`);
}

// --- all of them --------------------------------------------------------------------------------

/** A server with whoever comes to it, and a browser once one is needed. */
export class Place implements AsyncDisposable {
  readonly server: Program;
  #browser: Promise<Browser> | undefined;

  constructor(server: Program) {
    this.server = server;
  }

  /** A browser profile of its own. Closed with the browser. */
  async newProfile(): Promise<BrowserContext> {
    this.#browser ??= launchBrowser();
    return (await this.#browser).newContext({ viewport: { width: 900, height: 700 } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#browser)?.close();
    await this.server.stop();
  }
}

/** A kind of face. */
export interface Kind {
  /** Programs of the system without which there is none. */
  readonly programs: readonly string[];
  open(place: Place): Promise<Face>;
}

async function openPage(name: string, place: Place): Promise<PageFace> {
  return PageFace.open(name, place.server, await place.newProfile());
}

/** By what they are called in titles. */
export const KINDS = {
  "a page": { programs: [CHROMIUM], open: (place) => openPage("Page", place) },
  "another page": { programs: [CHROMIUM], open: (place) => openPage("Other page", place) },
  "a terminal": { programs: ["tmux"], open: ({ server }) => ScreenFace.open("Screen", server.url) },
  "a terminal without a screen": { programs: [], open: ({ server }) => PlainFace.open("Plain", server.url) },
  "a script": { programs: [], open: async ({ server }) => new TailFace("Tail", server.url) },
  "a bridge": { programs: [], open: async ({ server }) => new SdkFace("Bridge", await bridgeTo(server.origin)) },
  "a legacy client": {
    programs: [],
    open: async ({ server }) => new SdkFace("Legacy", await connect("v1", server.url)),
  },
  "a modern client": {
    programs: [],
    open: async ({ server }) => new SdkFace("Modern", await connect("v2-pinned", server.url)),
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;

function bridgeTo(url: string): Promise<ChatClient> {
  const args = ["src/main.ts", "stdio", "--url", url];
  return within(
    "a bridge",
    connectOverPipes({ command: process.execPath, args, cwd: CHECKOUT, env: plainEnvironment() }),
  );
}

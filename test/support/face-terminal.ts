/**
 * `mcp-chat chat` as somebody who chats: on the screen of a terminal, and line by line between pipes.
 *
 * This file owns what a person types there, and reads off it. It must never ask the server.
 */

import { ACTING, type End, type Face, LINE_BREAK, type PersonFace } from "./face.ts";
import { FaceProcess } from "./face-process.ts";
import { Tmux } from "./tmux.ts";

const ESCAPE = "\u001b";
const BELL = "\u0007";

/** An interest that nobody shares. */
const unshared = (): string => `alone ${++unsharedInterests}`;
let unsharedInterests = 0;

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
    await using opening = new AsyncDisposableStack();
    const face = opening.use(new ScreenFace(name));
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
    opening.move();
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
    await using opening = new AsyncDisposableStack();
    const face = opening.use(new PlainFace(name, url));
    await face.#until((line) => line.includes(" * Waiting for a partner."));
    face.#process.write("/leave");
    await face.#until((line) => line.includes(" * You are not waiting any more."));
    opening.move();
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

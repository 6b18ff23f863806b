/**
 * Programs as somebody who chats: a script around `mcp-chat tail`, and official clients. They hear by events.
 *
 * This file owns what of the events makes up a chat. It must never let one pass unseen.
 */

import type { ChatClient, ChatEvent } from "./client-flavours.ts";
import { ACTING, type End, type Face, LINE_BREAK } from "./face.ts";
import { FaceProcess } from "./face-process.ts";

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

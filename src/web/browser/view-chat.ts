/**
 * The chat: who it is with, what was said, the composer, and what can be done with the partner.
 *
 * This file owns that view, in the chat and after it.
 */
import type { App } from "./app.ts";
import type { State } from "./conversation.ts";
import { type Dialogs, REPORTABLE } from "./dialogs.ts";
import { byId, copyText, make, setText, show } from "./dom.ts";
import type { OwnLine } from "./lines.ts";
import type { Model } from "./store.ts";
import { LineList } from "./view-lines.ts";
import { kindText, problemText, transcriptText } from "./words.ts";

/** How near to the end counts as there, in pixels: a line and a bit. */
const NEAR_END_PX = 48;

export interface ChatViewOptions {
  readonly app: App;
  readonly dialogs: Dialogs;
  readonly draft: string;
  readonly onDraft: (text: string) => void;
  readonly say: (text: string) => void;
}

export class ChatView {
  readonly #app: App;
  readonly #options: ChatViewOptions;
  readonly #name = byId("partner-name", HTMLElement);
  readonly #kind = byId("partner-kind", HTMLElement);
  readonly #away = byId("partner-away", HTMLElement);
  readonly #shared = byId("shared", HTMLUListElement);
  readonly #log = byId("log", HTMLDivElement);
  readonly #shortened = byId("shortened", HTMLParagraphElement);
  readonly #typing = byId("typing", HTMLParagraphElement);
  readonly #typingName = byId("typing-name", HTMLElement);
  readonly #newer = byId("newer", HTMLButtonElement);
  readonly #composer = byId("composer", HTMLFormElement);
  readonly #message = byId("message", HTMLTextAreaElement);
  readonly #tools = byId("chat-tools", HTMLDivElement);
  readonly #more = byId("more", HTMLDetailsElement);
  readonly #over = byId("over", HTMLElement);
  readonly #problem = byId("chat-problem", HTMLParagraphElement);
  readonly #lines: LineList;
  #roomId: string | undefined;
  /** Whether the end of the conversation is in sight, and so stays. */
  #isFollowing = true;

  constructor(options: ChatViewOptions) {
    this.#options = options;
    this.#app = options.app;
    this.#lines = new LineList(byId("lines", HTMLOListElement), {
      retry: (key) => this.#app.retry(key),
      edit: (line) => this.#edit(line),
    });
    this.#message.value = options.draft;
    this.#listen();
  }

  update({ state, connection, tools, isBusy, problem }: Model, before: Model): void {
    const { room, place } = state;
    if (room === undefined) return;
    const isOpen = place === "chatting";
    const isFollowing = this.#isFollowing || room.roomId !== this.#roomId;
    this.#roomId = room.roomId;

    setText(this.#name, room.partner.displayName);
    setText(this.#typingName, room.partner.displayName);
    setText(this.#kind, kindText(room.partner));
    show(this.#away, state.partnerAway);
    this.#showShared(room.sharedInterests);
    show(this.#shortened, state.shortened);
    this.#lines.update(state.lines, room.partner, connection === "open");
    show(this.#typing, isOpen && state.typingUntil > 0);
    show(this.#composer, isOpen);
    show(this.#tools, isOpen);
    show(this.#over, !isOpen);
    show(this.#problem, problem !== undefined);
    setText(this.#problem, problem === undefined ? "" : problemText(problem.code, problem.message));
    this.#offer(state, tools, isBusy);

    const added = state.lines.length > 0 && state.lines.at(-1) !== before.state.lines.at(-1);
    if (isFollowing || (added && state.lines.at(-1)?.from === "me")) this.#toEnd();
    else if (added) show(this.#newer, true);
  }

  /** The place to go on from: the composer, or what can be done after the chat. */
  focus(): void {
    if (this.#composer.hidden) byId("again", HTMLButtonElement).focus();
    else this.#message.focus();
    this.#toEnd();
  }

  #listen(): void {
    const { app, dialogs } = this.#options;
    const on = (id: string, act: () => void): void =>
      byId(id, HTMLButtonElement).addEventListener("click", () => {
        this.#more.open = false;
        act();
      });
    this.#composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#message.addEventListener("keydown", (event) => {
      // While a character is being composed, Enter ends that.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    this.#message.addEventListener("input", () => {
      this.#options.onDraft(this.#message.value);
      app.typed(this.#message.value);
      this.#fit();
    });
    let size = "";
    const sizeNow = (): string => `${this.#log.clientWidth} ${this.#log.clientHeight}`;
    this.#log.addEventListener("scroll", () => {
      // What scrolls because the size has changed was nobody's wish.
      if (sizeNow() !== size) return;
      this.#isFollowing = this.#isAtEnd();
      if (this.#isFollowing) show(this.#newer, false);
    });
    // A keyboard that comes up, a longer text in the composer, a turned telephone.
    new ResizeObserver(() => {
      size = sizeNow();
      if (this.#isFollowing) this.#toEnd();
    }).observe(this.#log);
    this.#newer.addEventListener("click", () => {
      this.#toEnd();
      this.#message.focus();
    });
    document.addEventListener("click", ({ target }) => {
      if (target instanceof Node && !this.#more.contains(target)) this.#more.open = false;
    });
    this.#more.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || !this.#more.open) return;
      this.#more.open = false;
      this.#more.querySelector("summary")?.focus();
    });
    on("leave", async () => {
      if (await dialogs.confirm("Leave this chat?", "It ends for both of you.", "Leave")) await app.leave();
    });
    on("next", async () => {
      const text = "This chat ends for both of you, and you wait for another partner.";
      if (await dialogs.confirm("Meet somebody else?", text, "Next partner")) await app.next();
    });
    for (const id of ["copy", "over-copy"]) on(id, () => void this.#copy());
    for (const id of ["block", "over-block"]) on(id, () => void this.#block());
    for (const id of ["report", "over-report"]) on(id, () => void dialogs.report((what, how) => app.report(what, how)));
    on("again", () => void app.enter());
    on("change", () => app.change());
  }

  #send(): void {
    const text = this.#message.value;
    if (!this.#app.say(text)) return;
    this.#write("");
  }

  #edit(line: OwnLine): void {
    const typed = this.#message.value;
    this.#app.withdraw(line.key);
    this.#write(typed === "" ? line.text : `${typed}\n${line.text}`);
    if (this.#composer.hidden) void this.#copyOf(line.text);
    else this.#message.focus();
  }

  #write(text: string): void {
    this.#message.value = text;
    this.#options.onDraft(text);
    this.#fit();
  }

  /** Lets the composer grow with its text, where the browser does not do it by itself. */
  #fit(): void {
    if (CSS.supports("field-sizing", "content")) return;
    this.#message.style.height = "auto";
    this.#message.style.height = `${this.#message.scrollHeight + 2}px`;
  }

  #copy(): Promise<void> {
    return this.#copyOf(transcriptText(this.#app.model.state));
  }

  async #copyOf(text: string): Promise<void> {
    this.#options.say((await copyText(text)) ? "Copied." : "The browser did not allow copying.");
  }

  async #block(): Promise<void> {
    const text = "You will not meet this partner again, and a chat with them ends.";
    if (await this.#options.dialogs.confirm("Block this partner?", text, "Block")) await this.#app.block();
  }

  /** Shows what the server can do and what was not done already. */
  #offer({ lines }: State, tools: ReadonlySet<string> | undefined, isBusy: boolean): void {
    const done = new Set(lines.map((line) => (line.from === "system" ? line.notice : "")));
    const canBlock = tools?.has("block_partner") === true && !done.has("you_blocked") && !done.has("you_reported");
    const canReport = tools?.has(REPORTABLE) === true && !done.has("you_reported");
    for (const id of ["block", "over-block"]) show(byId(id, HTMLButtonElement), canBlock);
    for (const id of ["report", "over-report"]) show(byId(id, HTMLButtonElement), canReport);
    for (const id of ["next", "leave", "again", "change"]) byId(id, HTMLButtonElement).disabled = isBusy;
  }

  #showShared(interests: readonly string[]): void {
    show(this.#shared, interests.length > 0);
    if (this.#shared.childElementCount === interests.length) return;
    this.#shared.replaceChildren(...interests.map((interest) => make("li", { text: interest, foreign: true })));
  }

  #isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #toEnd(): void {
    this.#isFollowing = true;
    this.#log.scrollTop = this.#log.scrollHeight;
    show(this.#newer, false);
  }
}

/**
 * The page's beginning: whose tab this is, the parts and their wiring, which view is shown, and what
 * is said aloud.
 *
 * This file owns the document as a whole: view, title, focus, announcements. Each view is its own
 * file's.
 */
import { Announcer } from "./announcer.ts";
import { App } from "./app.ts";
import { Dialogs } from "./dialogs.ts";
import { byId, setText, show } from "./dom.ts";
import { suggestInterests } from "./interests.ts";
import type { Line } from "./lines.ts";
import { McpClient } from "./mcp-client.ts";
import { clearSession, loadDraft, loadSession, newSession, type Session, saveDraft, saveSession } from "./storage.ts";
import type { Model } from "./store.ts";
import { claimTab } from "./tab-claim.ts";
import { AssistantView } from "./view-assistant.ts";
import { ChatView } from "./view-chat.ts";
import { AccessView, StartView } from "./view-start.ts";
import { WaitingView } from "./view-waiting.ts";
import { deliveryText, noticeText, PARTNER_WRITES, titleText } from "./words.ts";

type ViewName = "access" | "start" | "waiting" | "chat" | "assistant";

/** Longest part of a message that is read aloud by itself; the whole is in the conversation. */
const SPOKEN_CHARS_MAX = 300;

async function openPage(): Promise<void> {
  const session = await ownSession();
  const endpoint = new URL("/mcp", location.origin).href;
  const client = new McpClient({
    endpoint,
    fetch: (url, init) => fetch(url, init),
    clientInfo: { name: "mcp-chat-page", version: "1" },
  });
  const announcer = new Announcer(byId("announcer", HTMLDivElement));
  const say = (text: string): void => announcer.say(text);
  const app = new App({
    client,
    session,
    save: (kept) => saveSession(sessionStorage, kept),
    onChange: (model, before) => {
      page.update(model, before);
      speak(model, before, say);
    },
  });
  const dialogs = new Dialogs();
  const start = new StartView(app, (typed) => suggestInterests(client, typed));
  const chat = new ChatView({
    app,
    dialogs,
    draft: loadDraft(sessionStorage),
    onDraft: (text) => saveDraft(sessionStorage, text),
    say,
  });
  const page = new Page(app, dialogs, {
    access: new AccessView(app),
    start,
    waiting: new WaitingView(app, say),
    chat,
    assistant: new AssistantView(endpoint, say),
  });
  page.update(app.model, app.model);
  app.open();
  listenToBrowser(app, page);
}

/** The session of this tab; a new one for a tab that was duplicated from another. */
async function ownSession(): Promise<Session> {
  const kept = loadSession(sessionStorage);
  if (kept !== undefined && (await claimTab(kept.tabKey))) return kept;
  clearSession(sessionStorage);
  const fresh = newSession();
  saveSession(sessionStorage, fresh);
  await claimTab(fresh.tabKey);
  return fresh;
}

/** How often, and how far apart, the line is doubted while the browser calls itself offline. */
const DOUBTS_MAX = 5;
const DOUBT_MS = 2000;

/** The browser may say that it is offline a moment before its requests fail: one that passes proves nothing yet. */
async function doubtWhileOffline(app: App): Promise<void> {
  for (let doubts = 0; doubts < DOUBTS_MAX && !navigator.onLine; doubts++) {
    await app.doubt();
    await new Promise((resolve) => setTimeout(resolve, DOUBT_MS));
  }
}

function listenToBrowser(app: App, page: Page): void {
  addEventListener("online", () => app.nudge());
  addEventListener("offline", () => void doubtWhileOffline(app));
  addEventListener("pageshow", () => app.nudge());
  addEventListener("hashchange", () => page.update(app.model, app.model));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    app.nudge();
    page.seen();
  });
}

interface Views {
  readonly access: AccessView;
  readonly start: StartView;
  readonly waiting: WaitingView;
  readonly chat: ChatView;
  readonly assistant: AssistantView;
}

class Page {
  readonly #app: App;
  readonly #dialogs: Dialogs;
  readonly #views: Views;
  readonly #banner = byId("banner", HTMLParagraphElement);
  #view: ViewName | undefined;
  /** Messages that came while nobody looked. */
  #unseen = 0;

  constructor(app: App, dialogs: Dialogs, views: Views) {
    this.#app = app;
    this.#dialogs = dialogs;
    this.#views = views;
    byId("skip", HTMLAnchorElement).addEventListener("click", (event) => {
      event.preventDefault();
      this.#focus();
    });
  }

  update(model: Model, before: Model): void {
    const view = viewOf(model);
    const isFirst = this.#view === undefined;
    const isNew = view !== this.#view;
    if (isNew) this.#show(view);
    this.#views.access.update(model);
    this.#views.start.update(model);
    this.#views.waiting.update(model);
    this.#views.chat.update(model, before);
    this.#views.assistant.update(model);
    const banner = bannerText(model);
    show(this.#banner, banner !== "");
    setText(this.#banner, banner);
    if (document.hidden || view === "assistant") this.#unseen += newLines(model, before).filter(isPartners).length;
    else this.#unseen = 0;
    document.title = titleText(model.state, this.#unseen);
    if (model.state.place !== before.state.place) {
      if (before.state.place === "chatting") this.#dialogs.closeConfirm();
      if (view === "chat" && !isNew) this.#views.chat.focus();
    }
    // A page that has just been opened is read from its top; only a conversation goes on at its end.
    if (isNew && (!isFirst || view === "chat")) this.#focus();
    if (isNew && view === "start") void this.#views.start.suggest();
  }

  /** Somebody looks at the page again. */
  seen(): void {
    this.update(this.#app.model, this.#app.model);
  }

  #show(view: ViewName): void {
    this.#view = view;
    document.body.dataset.view = view;
    for (const name of ["access", "start", "waiting", "chat", "assistant"] as const) {
      show(byId(`view-${name}`, HTMLElement), name === view);
    }
    for (const [id, isCurrent] of [
      ["nav-chat", view !== "assistant"],
      ["nav-assistant", view === "assistant"],
    ] as const) {
      if (isCurrent) byId(id, HTMLAnchorElement).setAttribute("aria-current", "page");
      else byId(id, HTMLAnchorElement).removeAttribute("aria-current");
    }
  }

  /** Moves the focus to where a new view begins, or goes on. */
  #focus(): void {
    if (this.#view === "chat") this.#views.chat.focus();
    else byId(`${this.#view ?? "start"}-title`, HTMLHeadingElement).focus();
  }
}

function viewOf({ state, access }: Model): ViewName {
  if (location.hash === "#/assistant") return "assistant";
  if (access === "asked" || access === "refused") return "access";
  if (state.place === "start" || state.place === "waiting") return state.place;
  return "chat";
}

function bannerText({ connection, isUnreachable, state }: Model): string {
  if (isUnreachable && connection !== "open") return "The server cannot be reached. Trying again…";
  if (connection !== "lost") return "";
  return state.place === "chatting"
    ? "Connection lost. Trying again… What you write is kept and sent then."
    : "Connection lost. Trying again…";
}

/** Says aloud what has changed: not what this person has done. */
function speak(model: Model, before: Model, say: (text: string) => void): void {
  for (const line of newLines(model, before)) {
    if (line.from === "partner") say(`${PARTNER_WRITES}: ${line.text.slice(0, SPOKEN_CHARS_MAX)}`);
    else if (line.from === "system") say(noticeText(line));
  }
  for (const line of model.state.lines) {
    if (line.from !== "me" || line.delivery !== "failed") continue;
    const was = before.state.lines.find(({ key }) => key === line.key);
    if (was !== undefined && was !== line) say(deliveryText(line, true));
  }
  const banner = bannerText(model);
  if (banner !== bannerText(before)) say(banner === "" ? "Connected again." : banner);
}

function newLines(model: Model, before: Model): readonly Line[] {
  if (model.state.lines === before.state.lines) return [];
  const known = new Set(before.state.lines.map(({ key }) => key));
  return model.state.lines.filter(({ key }) => !known.has(key));
}

function isPartners(line: Line): boolean {
  return line.from === "partner";
}

await openPage();

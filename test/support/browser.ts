/**
 * A browser with people in it: each has a tab on the page, and does what a person does there.
 *
 * This file owns the browser's process and what is read off the screen. It must never reach behind
 * the page: whatever a tab knows, a person could see.
 */
import { afterAll, beforeAll } from "bun:test";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { testAloneWith } from "./client-optional.ts";
import { type Program, startProgram } from "./program.ts";

/** The browser, by the names under which Debian installs it: the one that has no window is enough, and starts faster. */
export const CHROMIUM = ["chromium-headless-shell", "chromium"].find((name) => Bun.which(name) !== null) ?? "chromium";

/** How long something may take to show, in milliseconds; generous, as a test machine may be busy. */
const SHOW_MS_MAX = 15_000;

/** How long one test may take, in milliseconds. */
const TEST_MS_MAX = 60_000;

/** Where tabs are opened, and on which server. */
export interface World {
  readonly server: Program;
  /** A browser profile: its tabs share what is cached, and nothing of who they are. */
  readonly profile: BrowserContext;
}

/** A server and a browser for the tests of one file. */
export interface BrowserTests extends World {
  /** A profile of its own: for what goes for all tabs of one, as the network and the clock. Closed with the browser. */
  readonly newProfile: () => Promise<BrowserContext>;
  /** Declares a test. Where there is no browser it is left out, and says so. */
  readonly test: (title: string, body: () => Promise<void>) => void;
}

/**
 * Declares that the tests of a file need a browser and a server.
 * @param args of the server, on top of the page's own
 */
export function browserTests(args: readonly string[] = []): BrowserTests {
  let server: Program | undefined;
  let browser: Browser | undefined;
  let profile: BrowserContext | undefined;
  const newProfile = (): Promise<BrowserContext> =>
    there(browser).newContext({ viewport: { width: 900, height: 700 } });
  beforeAll(async () => {
    if (Bun.which(CHROMIUM) === null) return;
    // Nobody but those who share an interest meets, so that what one test leaves behind disturbs no other.
    server = await startProgram({ kind: "source", args: ["--widen-seconds", "3600", ...args] });
    browser = await launchBrowser();
    profile = await newProfile();
  }, TEST_MS_MAX);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  return {
    get server() {
      return there(server);
    },
    get profile() {
      return there(profile);
    },
    newProfile,
    test: (title, body) => testAloneWith([CHROMIUM], title, body, TEST_MS_MAX),
  };
}

function there<T>(started: T | undefined): T {
  if (started === undefined) throw new Error(`there is no ${CHROMIUM}`);
  return started;
}

/** A browser without a window. Whoever launches it closes it. */
export function launchBrowser(): Promise<Browser> {
  // The browser's own cage needs rights that containers do not have.
  return chromium.launch({ executablePath: Bun.which(CHROMIUM) ?? CHROMIUM, args: ["--no-sandbox"] });
}

/** The page's inner audit, as a script for the page. */
const AUDIT = `(() => { ${new Bun.Transpiler({ loader: "ts" })
  .transformSync(await Bun.file(new URL("../web/in-page/audit.ts", import.meta.url)).text())
  .replace(/^export /gm, "")}; return audit(); })()`;

/** Words of the browser about requests that were cut or refused on purpose; everything else is a mistake of the page. */
const OF_BROKEN_LINES = /net::ERR_|status of (?:401|503)/;

export class Tab implements AsyncDisposable {
  readonly page: Page;
  readonly #origin: string;
  /** What the console said that it should not have: errors, broken policies. */
  readonly complaints: string[] = [];
  /** Requests that went anywhere but to the server. */
  readonly strayRequests: string[] = [];

  constructor(page: Page, origin: string) {
    this.page = page;
    this.#origin = origin;
    page.setDefaultTimeout(SHOW_MS_MAX);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.#complain(message.text());
    });
    page.on("pageerror", (problem) => this.#complain(problem.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(`${origin}/`)) this.strayRequests.push(request.url());
    });
  }

  /** Opens the page. @param origin where the server is found, if not where it says */
  static async open({ profile, server }: World, path = "/", origin = server.origin): Promise<Tab> {
    const tab = new Tab(await profile.newPage(), origin);
    await tab.page.goto(`${origin}${path}`);
    return tab;
  }

  /** The tab as the browser duplicates it: same address, same session storage. */
  async duplicate(): Promise<Tab> {
    const [page] = await Promise.all([
      this.page.context().waitForEvent("page"),
      // A window that is opened with an opener begins with a copy of its session storage, as a duplicated tab does.
      this.page.evaluate("void window.open(location.href)"),
    ]);
    const tab = new Tab(page, this.#origin);
    await page.waitForLoadState();
    return tab;
  }

  view(name: "access" | "start" | "waiting" | "chat" | "assistant"): Locator {
    return this.page.locator(`#view-${name}`);
  }

  async sees(name: Parameters<Tab["view"]>[0]): Promise<void> {
    await this.view(name).waitFor();
  }

  /** Fills in the form and joins the queue. */
  async enter(name: string, interests = ""): Promise<void> {
    await this.sees("start");
    await this.page.fill("#name", name);
    await this.page.fill("#interests", interests);
    await this.page.click("#start-button");
  }

  async say(text: string): Promise<void> {
    await this.page.fill("#message", text);
    await this.page.press("#message", "Enter");
  }

  /** Waits until the last message of the partner is this one. */
  async hears(text: string): Promise<void> {
    await this.page.locator(".theirs .text").getByText(text, { exact: true }).last().waitFor();
  }

  /** Waits until the last own message stands like this. */
  async delivery(text: string): Promise<void> {
    await this.page.locator(".mine .delivery").last().getByText(text, { exact: true }).waitFor();
  }

  async notice(text: string): Promise<void> {
    await this.page.locator(".notice").getByText(text).last().waitFor();
  }

  /** All messages, as `me: …` and `them: …`. */
  async messages(): Promise<string[]> {
    const items = await this.page.locator(".message").all();
    return Promise.all(
      items.map(async (item) => {
        const isMine = (await item.getAttribute("class"))?.includes("mine") === true;
        return `${isMine ? "me" : "them"}: ${await item.locator(".text").innerText()}`;
      }),
    );
  }

  /** What of the page would hinder somebody. */
  audit(): Promise<string[]> {
    return this.page.evaluate(AUDIT);
  }

  /** Text of the element that has the focus, or its id. */
  focused(): Promise<string> {
    return this.page.evaluate("document.activeElement?.id || document.activeElement?.textContent?.trim() || ''");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
  }

  #complain(text: string): void {
    if (!OF_BROKEN_LINES.test(text)) this.complaints.push(text);
  }
}

/** How the second of two may differ from the first. */
export interface Second {
  /** Where they find the server. */
  readonly origin?: string;
  readonly profile?: BrowserContext;
}

/** Two people with a tab each who share an interest nobody else has, and so meet. */
export async function meet(world: World, { origin, profile = world.profile }: Second = {}): Promise<[Tab, Tab]> {
  const interest = `meeting ${++meetings}`;
  const opened = [Tab.open(world), Tab.open({ server: world.server, profile }, "/", origin)] as const;
  const [first, second] = await Promise.all(opened);
  await first.enter("Ann", interest);
  await first.sees("waiting");
  await second.enter("Bob", interest);
  await Promise.all([first.sees("chat"), second.sees("chat")]);
  return [first, second];
}

let meetings = 0;

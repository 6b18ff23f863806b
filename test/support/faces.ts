/**
 * Everything people and programs chat with: tabs of a browser, a terminal's screen, lines between pipes, events
 * for a script, a bridge, and official clients of both protocol eras.
 *
 * This file owns their list, and the place where they come together. What each does is in a module of its own.
 */

import type { Browser, BrowserContext } from "playwright-core";
import { CHROMIUM, launchBrowser } from "./browser.ts";
import { within } from "./client-deadline.ts";
import { type ChatClient, connect, connectOverPipes } from "./client-flavours.ts";
import type { Face } from "./face.ts";
import { SdkFace, TailFace } from "./face-events.ts";
import { PageFace } from "./face-page.ts";
import { plainEnvironment } from "./face-process.ts";
import { PlainFace, ScreenFace } from "./face-terminal.ts";
import { CHECKOUT, type Program } from "./program.ts";

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
    try {
      await (await this.#browser)?.close();
    } finally {
      await this.server.stop();
    }
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

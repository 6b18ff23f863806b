/**
 * A tab of a browser as somebody who chats.
 *
 * This file owns what a person does on the page from chat to chat, and reads there. It must never ask the server.
 */

import type { BrowserContext } from "playwright-core";
import { Tab } from "./browser.ts";
import type { End, PersonFace } from "./face.ts";
import type { Program } from "./program.ts";

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

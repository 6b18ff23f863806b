/**
 * The files of the page, as texts that are part of the program: they are there in a checkout, in an
 * installed package and in the executable.
 *
 * This file owns the list. A module that is missing here is not served; a test compares.
 */
import announcer from "#page/browser/announcer.ts" with { type: "text" };
import app from "#page/browser/app.ts" with { type: "text" };
import assistants from "#page/browser/assistants.ts" with { type: "text" };
import conversation from "#page/browser/conversation.ts" with { type: "text" };
import dialogs from "#page/browser/dialogs.ts" with { type: "text" };
import dom from "#page/browser/dom.ts" with { type: "text" };
import feed from "#page/browser/feed.ts" with { type: "text" };
import interests from "#page/browser/interests.ts" with { type: "text" };
import json from "#page/browser/json.ts" with { type: "text" };
import limits from "#page/browser/limits.ts" with { type: "text" };
import lines from "#page/browser/lines.ts" with { type: "text" };
import main from "#page/browser/main.ts" with { type: "text" };
import mcpClient from "#page/browser/mcp-client.ts" with { type: "text" };
import outbox from "#page/browser/outbox.ts" with { type: "text" };
import queueLook from "#page/browser/queue-look.ts" with { type: "text" };
import randomId from "#page/browser/random-id.ts" with { type: "text" };
import sseReader from "#page/browser/sse-reader.ts" with { type: "text" };
import storage from "#page/browser/storage.ts" with { type: "text" };
import store from "#page/browser/store.ts" with { type: "text" };
import tabClaim from "#page/browser/tab-claim.ts" with { type: "text" };
import typing from "#page/browser/typing.ts" with { type: "text" };
import viewAssistant from "#page/browser/view-assistant.ts" with { type: "text" };
import viewChat from "#page/browser/view-chat.ts" with { type: "text" };
import viewLines from "#page/browser/view-lines.ts" with { type: "text" };
import viewStart from "#page/browser/view-start.ts" with { type: "text" };
import viewWaiting from "#page/browser/view-waiting.ts" with { type: "text" };
import words from "#page/browser/words.ts" with { type: "text" };
import icon from "#page/icon.svg" with { type: "text" };
import html from "#page/index.html" with { type: "text" };
import style from "#page/style.css" with { type: "text" };

/** The page itself, with a place for the list of its modules. What it refers to is under `/page/`. */
export const HTML: string = html;

/** The module that begins. */
export const MAIN = "main.ts";

/** Strict TypeScript with erasable syntax only, by name. */
export const MODULES: ReadonlyMap<string, string> = new Map([
  [MAIN, main],
  ["announcer.ts", announcer],
  ["app.ts", app],
  ["assistants.ts", assistants],
  ["conversation.ts", conversation],
  ["dialogs.ts", dialogs],
  ["dom.ts", dom],
  ["feed.ts", feed],
  ["interests.ts", interests],
  ["json.ts", json],
  ["limits.ts", limits],
  ["lines.ts", lines],
  ["mcp-client.ts", mcpClient],
  ["outbox.ts", outbox],
  ["queue-look.ts", queueLook],
  ["random-id.ts", randomId],
  ["sse-reader.ts", sseReader],
  ["storage.ts", storage],
  ["store.ts", store],
  ["tab-claim.ts", tabClaim],
  ["typing.ts", typing],
  ["view-assistant.ts", viewAssistant],
  ["view-chat.ts", viewChat],
  ["view-lines.ts", viewLines],
  ["view-start.ts", viewStart],
  ["view-waiting.ts", viewWaiting],
  ["words.ts", words],
]);

/** Everything else, by name: media type and text. */
export const FILES: ReadonlyMap<string, readonly [type: string, text: string]> = new Map([
  ["style.css", ["text/css; charset=utf-8", style]],
  ["icon.svg", ["image/svg+xml", icon]],
]);

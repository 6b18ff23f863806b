/**
 * The conversation on the screen: one element for each line, changed only where the line has changed.
 *
 * This file owns how lines look apart: a stranger's words stand in a frame under their name, what the
 * page says stands across the page under its stripe. Words of strangers become text, never markup.
 */
import type { Partner } from "./conversation.ts";
import { make, makeButton, setText, show, unseen } from "./dom.ts";
import type { Line, OwnLine, PartnerLine, SystemLine } from "./lines.ts";
import { clockText, deliveryText, isWorthRetrying, noticeText, PARTNER_WRITES } from "./words.ts";

export interface LineActions {
  readonly retry: (key: string) => void;
  /** Takes a message back into the composer. */
  readonly edit: (line: OwnLine) => void;
}

interface Shown {
  readonly item: HTMLLIElement;
  line: Line;
}

export class LineList {
  readonly #list: HTMLElement;
  readonly #actions: LineActions;
  readonly #shown = new Map<string, Shown>();

  constructor(list: HTMLElement, actions: LineActions) {
    this.#list = list;
    this.#actions = actions;
  }

  /** @param isConnected whether what is not sent yet is on its way */
  update(lines: readonly Line[], partner: Partner | undefined, isConnected: boolean): void {
    const keys = new Set(lines.map(({ key }) => key));
    for (const [key, { item }] of this.#shown) {
      if (keys.has(key)) continue;
      item.remove();
      this.#shown.delete(key);
    }
    const lastOwn = lines.findLast(({ from }) => from === "me");
    let place: Element | null = this.#list.firstElementChild;
    let before: Line | undefined;
    for (const line of lines) {
      const { item } = this.#itemOf(line, partner?.displayName ?? "");
      if (item === place) place = place.nextElementSibling;
      else this.#list.insertBefore(item, place);
      item.classList.toggle("more", before?.from === line.from && line.from !== "system");
      if (line.from === "me") this.#showDelivery(item, line, isConnected, line === lastOwn);
      before = line;
    }
  }

  #itemOf(line: Line, partnerName: string): Shown {
    const known = this.#shown.get(line.key);
    if (known !== undefined) {
      if (known.line !== line && line.from === "system")
        setText(known.item.lastElementChild ?? known.item, noticeText(line));
      known.line = line;
      return known;
    }
    const made: Shown = { item: line.from === "system" ? noticeItem(line) : messageItem(line, partnerName), line };
    this.#shown.set(line.key, made);
    return made;
  }

  /** A message that was sent says so only if it is the last one; one that was not always does. */
  #showDelivery(item: HTMLElement, line: OwnLine, isConnected: boolean, isLast: boolean): void {
    const isFailed = line.delivery === "failed";
    item.classList.toggle("failed", isFailed);
    const footer = item.querySelector<HTMLElement>(".delivery") ?? item;
    show(footer, isLast || line.delivery !== "sent");
    const state = footer.firstElementChild ?? footer;
    setText(state, deliveryText(line, isConnected));
    if (isFailed === footer.childElementCount > 1) return;
    if (!isFailed) {
      footer.replaceChildren(state);
      return;
    }
    if (isWorthRetrying(line)) footer.append(makeButton("Try again", () => this.#actions.retry(line.key)));
    footer.append(makeButton("Edit", () => this.#actions.edit(line)));
  }
}

function messageItem(line: PartnerLine | OwnLine, partnerName: string): HTMLLIElement {
  const isMine = line.from === "me";
  const time = make("time", { text: clockText(line.at), attributes: { datetime: new Date(line.at).toISOString() } });
  const by = isMine
    ? make("p", {
        class: "by",
        children: [make("span", { text: "You" }), unseen(","), document.createTextNode(" "), time],
      })
    : make("p", {
        class: "by",
        children: [
          // The name is for the eye, which sees a frame around it: heard, "mcp-chat says" would be the page's own label.
          unseen(PARTNER_WRITES),
          make("bdi", { text: partnerName, attributes: { "aria-hidden": "true" } }),
          unseen(","),
          document.createTextNode(" "),
          time,
        ],
      });
  return make("li", {
    class: isMine ? "message mine" : "message theirs",
    children: [
      by,
      make("p", { class: "text", text: line.text, foreign: true }),
      isMine ? make("p", { class: "delivery", children: [make("span")] }) : undefined,
    ],
  });
}

function noticeItem(line: SystemLine): HTMLLIElement {
  return make("li", {
    class: "notice",
    children: [
      make("span", { class: "page", text: "mcp-chat" }),
      unseen(" says: "),
      make("span", { text: noticeText(line), ...(line.notice === "announcement" ? { foreign: true } : {}) }),
    ],
  });
}

/**
 * "Connect your assistant": lines to copy and links that install.
 *
 * This file owns that view.
 */
import { type Assistant, assistants } from "./assistants.ts";
import { byId, copyText, make, makeButton, show, unseen } from "./dom.ts";
import type { Model } from "./store.ts";

export class AssistantView {
  readonly #list = byId("assistants", HTMLUListElement);
  readonly #tokenHint = byId("assistant-token", HTMLParagraphElement);
  readonly #endpoint: string;
  readonly #say: (text: string) => void;
  #needsToken: boolean | undefined;

  constructor(endpoint: string, say: (text: string) => void) {
    this.#endpoint = endpoint;
    this.#say = say;
  }

  update({ access }: Model): void {
    const needsToken = access !== "open";
    if (needsToken === this.#needsToken) return;
    this.#needsToken = needsToken;
    show(this.#tokenHint, needsToken);
    this.#list.replaceChildren(...assistants(this.#endpoint, needsToken).map((one) => this.#card(one)));
  }

  #card({ name, how, text, link }: Assistant): HTMLLIElement {
    const copy = makeButton(
      "Copy",
      async () => this.#say((await copyText(text)) ? "Copied." : "The browser did not allow copying."),
      "",
    );
    copy.append(unseen(` for ${name}`));
    return make("li", {
      class: "sheet",
      children: [
        make("h2", { text: name }),
        make("p", { class: "hint", text: how }),
        make("pre", { children: [make("code", { text })] }),
        make("div", {
          class: "row",
          children: [copy, link && make("a", { class: "button", text: link.label, attributes: { href: link.href } })],
        }),
      ],
    });
  }
}

/**
 * While waiting: how long, where in line, and what to expect. Nothing here is made up: what the
 * server does not say is not shown.
 *
 * This file owns that view.
 */
import type { App } from "./app.ts";
import { byId, copyText, setText, show } from "./dom.ts";
import type { Model } from "./store.ts";
import { countText, elapsedText, estimateText, noticeText, placeText, problemText } from "./words.ts";

export class WaitingView {
  readonly #title = byId("waiting-title", HTMLHeadingElement);
  readonly #elapsed = byId("elapsed", HTMLElement);
  readonly #position = byId("position", HTMLElement);
  readonly #estimate = byId("estimate", HTMLElement);
  readonly #count = byId("waiting-count", HTMLElement);
  readonly #codeFacts = byId("code-facts", HTMLDivElement);
  readonly #codeShown = byId("code-shown", HTMLElement);
  readonly #queueFacts = byId("queue-facts", HTMLElement);
  readonly #problem = byId("waiting-problem", HTMLParagraphElement);
  readonly #app: App;

  constructor(app: App, say: (text: string) => void) {
    this.#app = app;
    byId("stop-waiting", HTMLButtonElement).addEventListener("click", () => void app.stopWaiting());
    byId("copy-invitation", HTMLButtonElement).addEventListener("click", async () => {
      const { code } = app.model.state;
      if (code === undefined) return;
      const link = `${location.origin}/#meet=${encodeURIComponent(code)}`;
      say((await copyText(link)) ? "Copied." : `Copy this link: ${link}`);
    });
    setInterval(() => this.#tick(), 1000);
  }

  update({ state, problem }: Model): void {
    const { queue, code, lines } = state;
    setText(this.#title, code === undefined ? "Waiting for somebody" : "Waiting for the other one");
    // With a code there is no line to stand in.
    for (const fact of [this.#position, this.#estimate, this.#count]) {
      if (fact.parentElement !== null) show(fact.parentElement, code === undefined);
    }
    if (queue !== undefined) {
      setText(this.#position, placeText(queue));
      setText(this.#estimate, estimateText(queue));
      setText(this.#count, countText(queue));
    }
    show(this.#codeFacts, code !== undefined);
    setText(this.#codeShown, code ?? "");
    show(this.#queueFacts, queue !== undefined);
    const announcement = lines.findLast((line) => line.from === "system");
    const words = problem === undefined ? undefined : problemText(problem.code, problem.message);
    const shown = words ?? (announcement?.from === "system" ? noticeText(announcement) : undefined);
    show(this.#problem, shown !== undefined);
    setText(this.#problem, shown ?? "");
    this.#tick();
  }

  #tick(): void {
    const { place, waitingSince } = this.#app.model.state;
    if (place === "waiting") setText(this.#elapsed, elapsedText(Date.now() - waitingSince));
  }
}

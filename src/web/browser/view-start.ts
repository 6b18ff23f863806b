/**
 * Before the chat: the form, and the question for an access token.
 *
 * This file owns those two views. Suggested interests were written by strangers: they are text on a
 * button, nothing else.
 */
import type { App } from "./app.ts";
import { byId, make, setText, show } from "./dom.ts";
import { withLast } from "./interests.ts";
import { SUGGEST_PAUSE_MS } from "./limits.ts";
import type { Profile } from "./storage.ts";
import type { Model } from "./store.ts";
import { problemText } from "./words.ts";

/** The fragment of an invitation: `#meet=CODE`. */
const INVITATION = /^#meet=(.+)$/;

export class StartView {
  readonly #name = byId("name", HTMLInputElement);
  readonly #interests = byId("interests", HTMLInputElement);
  readonly #suggestions = byId("suggestions", HTMLFieldSetElement);
  readonly #problem = byId("start-problem", HTMLParagraphElement);
  readonly #enter = byId("start-button", HTMLButtonElement);
  readonly #joinForm = byId("join-form", HTMLFormElement);
  readonly #join = byId("join-button", HTMLButtonElement);
  readonly #code = byId("code", HTMLInputElement);
  readonly #suggest: (typed: string) => Promise<readonly string[]>;
  #suggestTimer: ReturnType<typeof setTimeout> | undefined;
  /** The latest question for suggestions: the answer to an older one comes too late. */
  #asked = 0;

  constructor(app: App, suggest: (typed: string) => Promise<readonly string[]>) {
    this.#suggest = suggest;
    const { name, interests, partnerKind } = app.profile;
    this.#name.value = name;
    this.#interests.value = interests;
    for (const choice of this.#kinds()) choice.checked = choice.value === partnerKind;
    byId("start-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void app.enter(this.#profile());
    });
    this.#joinForm.addEventListener("submit", (event) => {
      event.preventDefault();
      void app.join(this.#code.value.trim(), this.#profile());
    });
    this.#interests.addEventListener("input", () => {
      clearTimeout(this.#suggestTimer);
      this.#suggestTimer = setTimeout(() => this.suggest(), SUGGEST_PAUSE_MS);
    });
    this.#takeInvitation();
    addEventListener("hashchange", () => this.#takeInvitation());
  }

  update({ tools, isBusy, problem }: Model): void {
    show(this.#joinForm, tools?.has("join_room") === true);
    this.#enter.disabled = isBusy;
    this.#join.disabled = isBusy;
    show(this.#problem, problem !== undefined);
    if (problem !== undefined) setText(this.#problem, problemText(problem.code, problem.message));
  }

  /** Asks what others are interested in. */
  async suggest(): Promise<void> {
    const asked = ++this.#asked;
    const suggested = await this.#suggest(this.#interests.value);
    if (asked !== this.#asked) return;
    const buttons = suggested.map((interest) => {
      const button = make("button", { text: interest, foreign: true, attributes: { type: "button" } });
      button.addEventListener("click", () => {
        this.#interests.value = withLast(this.#interests.value, interest);
        this.#interests.focus();
        void this.suggest();
      });
      return button;
    });
    this.#suggestions.replaceChildren(...buttons);
    show(this.#suggestions, buttons.length > 0);
  }

  #profile(): Profile {
    const partnerKind = this.#kinds().find(({ checked }) => checked)?.value ?? "any";
    return { name: this.#name.value, interests: this.#interests.value, partnerKind };
  }

  #kinds(): HTMLInputElement[] {
    return [...document.querySelectorAll<HTMLInputElement>("input[name=partner-kind]")];
  }

  /** Fills in the code of an invitation; whoever followed the link still presses the button. */
  #takeInvitation(): void {
    const code = INVITATION.exec(location.hash)?.[1];
    if (code === undefined) return;
    try {
      this.#code.value = decodeURIComponent(code);
    } catch {
      // Not from this page: the field stays empty.
      this.#code.value = "";
    }
    history.replaceState(null, "", "#/");
  }
}

export class AccessView {
  readonly #problem = byId("access-problem", HTMLParagraphElement);

  constructor(app: App) {
    const token = byId("access-token", HTMLInputElement);
    byId("access-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void app.giveAccessToken(token.value.trim());
      token.value = "";
    });
  }

  update({ access }: Model): void {
    show(this.#problem, access === "refused");
    setText(this.#problem, "This token was not accepted.");
  }
}

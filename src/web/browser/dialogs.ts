/**
 * The questions the page asks before it does what cannot be undone.
 *
 * This file owns the two dialogs. The browser keeps the focus in them and gives it back.
 */
import { byId, make, setText, show } from "./dom.ts";

/** The tool that takes reports. */
export const REPORTABLE = "report_partner";

/** The categories the server knows, as people say them. */
const CATEGORIES = [
  ["spam", "Spam or advertising"],
  ["harassment", "Harassment or threats"],
  ["hate", "Hate against a group"],
  ["sexual", "Sexual content"],
  ["self_harm", "Self-harm"],
  ["scam", "A scam"],
  ["prompt_injection", "Attempts to take over an assistant"],
  ["minor_safety", "A child may be in danger"],
  ["other", "Something else"],
] as const;

export class Dialogs {
  readonly #confirm = byId("confirm", HTMLDialogElement);
  readonly #report = byId("report-dialog", HTMLDialogElement);
  readonly #category = byId("category", HTMLSelectElement);
  readonly #details = byId("details", HTMLTextAreaElement);
  readonly #problem = byId("report-problem", HTMLParagraphElement);
  #answer: ((isYes: boolean) => void) | undefined;
  #send: ((category: string, details: string) => Promise<boolean>) | undefined;

  constructor() {
    this.#category.append(
      make("option", { text: "Choose…", attributes: { value: "" } }),
      ...CATEGORIES.map(([value, text]) => make("option", { text, attributes: { value } })),
    );
    byId("confirm-yes", HTMLButtonElement).addEventListener("click", () => this.#confirm.close("yes"));
    byId("confirm-no", HTMLButtonElement).addEventListener("click", () => this.#confirm.close("no"));
    this.#confirm.addEventListener("close", () => {
      // Told a moment later, when the next question may be open already.
      if (!this.#confirm.open) this.#settle(this.#confirm.returnValue === "yes");
    });
    byId("report-no", HTMLButtonElement).addEventListener("click", () => this.#report.close());
    byId("report-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  /** Asks whether to go on. Escape means no. */
  confirm(title: string, text: string, yes: string): Promise<boolean> {
    setText(byId("confirm-title", HTMLHeadingElement), title);
    setText(byId("confirm-text", HTMLParagraphElement), text);
    setText(byId("confirm-yes", HTMLButtonElement), yes);
    this.#settle(false);
    this.#confirm.returnValue = "no";
    this.#confirm.showModal();
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /** Asks for a report. @param send gives it to the server; the dialog stays open if that fails */
  report(send: (category: string, details: string) => Promise<boolean>): void {
    this.#send = send;
    this.#category.value = "";
    this.#details.value = "";
    show(this.#problem, false);
    this.#report.showModal();
  }

  /** Closes what asks about a chat that is over. */
  closeConfirm(): void {
    if (this.#confirm.open) this.#confirm.close("no");
  }

  #settle(isYes: boolean): void {
    this.#answer?.(isYes);
    this.#answer = undefined;
  }

  async #submit(): Promise<void> {
    const sent = await this.#send?.(this.#category.value, this.#details.value);
    if (sent === true) {
      this.#report.close();
      return;
    }
    setText(this.#problem, "The report was not taken. Try again.");
    show(this.#problem, true);
  }
}

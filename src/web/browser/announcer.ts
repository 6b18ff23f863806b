/**
 * The one live region: what a screen reader says of its own accord.
 *
 * This file owns the order and pace of what is said. It must never be the only place where something
 * can be read.
 */

/** How long what was said stays, in milliseconds: long enough to be picked up, short enough not to be found later. */
const STAY_MS = 1000;

export class Announcer {
  readonly #region: HTMLElement;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** Says a text after what is being said. */
  say(text: string): void {
    const line = document.createElement("p");
    line.dir = "auto";
    line.textContent = text;
    this.#region.append(line);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#region.replaceChildren(), STAY_MS);
  }
}

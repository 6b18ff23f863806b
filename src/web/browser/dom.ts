/**
 * The few things the views do to the document.
 *
 * This file owns how text gets into the page: only ever as text. Markup is in index.html; nothing
 * here or elsewhere makes any from a string, and the page's policy forbids it to the browser too.
 */

/** An element of index.html. @throws TypeError if it is not there, which is a mistake in the page */
export function byId<T extends HTMLElement>(id: string, type: { new (): T; readonly name: string }): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new TypeError(`there is no ${type.name} #${id}`);
}

export interface Parts {
  readonly class?: string;
  readonly text?: string;
  /** A stranger's words: their direction is their own and nothing around them moves. */
  readonly foreign?: boolean;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children?: readonly (Node | undefined)[];
}

/** Makes an element. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, parts: Parts = {}): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (parts.class !== undefined) element.className = parts.class;
  if (parts.foreign === true) element.dir = "auto";
  for (const [name, value] of Object.entries(parts.attributes ?? {})) element.setAttribute(name, value);
  if (parts.text !== undefined) element.textContent = parts.text;
  for (const child of parts.children ?? []) if (child !== undefined) element.append(child);
  return element;
}

/** Text for screen readers only. */
export function unseen(text: string): HTMLElement {
  return make("span", { class: "unseen", text });
}

/** Sets the text only where it differs, so that what reads the page aloud is not disturbed. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element: HTMLElement, isShown: boolean): void {
  if (element.hidden === isShown) element.hidden = !isShown;
}

export function makeButton(text: string, onPress: () => void, className = "quiet"): HTMLButtonElement {
  const button = make("button", { class: className, text, attributes: { type: "button" } });
  button.addEventListener("click", onPress);
  return button;
}

/** Copies a text. @returns whether that worked */
export async function copyText(text: string): Promise<boolean> {
  // The clipboard exists only where the origin is secure or this machine.
  if ("clipboard" in navigator) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyBySelection(text);
    }
  }
  return copyBySelection(text);
}

function copyBySelection(text: string): boolean {
  const field = make("textarea", { class: "unseen", attributes: { "aria-hidden": "true" } });
  const before = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}

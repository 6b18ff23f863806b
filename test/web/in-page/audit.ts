/**
 * Looks over the page as it stands for what a person with a keyboard, a screen reader or weak sight
 * would stumble over (WCAG 2.2, level AA, as far as a program can tell). Runs inside the browser.
 *
 * This file owns the checks. It must never change the page.
 */

/** What is wrong, one line each. */
export function audit(): string[] {
  const shown = [...document.querySelectorAll<HTMLElement>("body *")].filter(isShown);
  return [
    ...nameProblems(shown),
    ...idProblems(),
    ...structureProblems(shown),
    ...contrastProblems(shown),
    ...sizeProblems(shown),
  ];
}

function isShown(element: Element): boolean {
  return element.checkVisibility({ visibilityProperty: true }) && element.closest("dialog:not([open])") === null;
}

function isUnseen(element: Element): boolean {
  return element.closest(".unseen, .skip") !== null || getComputedStyle(element).clipPath === "inset(50%)";
}

function label(element: Element): string {
  const id = element.id === "" ? "" : `#${element.id}`;
  return `${element.tagName.toLowerCase()}${id} "${(element.textContent ?? "").trim().slice(0, 30)}"`;
}

// --- names and references ---------------------------------------------------------------------------

const CONTROLS = "a[href], button, input, select, textarea, summary, dialog, [role=log], fieldset, nav, section, form";

function nameProblems(shown: readonly HTMLElement[]): string[] {
  return shown.filter((one) => one.matches(CONTROLS) && nameOf(one) === "").map((one) => `no name: ${label(one)}`);
}

/** The accessible name, as far as this page's means of giving one go. */
function nameOf(element: HTMLElement): string {
  const labelledBy = (element.getAttribute("aria-labelledby") ?? "").split(" ").filter((id) => id !== "");
  if (labelledBy.length > 0)
    return labelledBy
      .map((id) => document.getElementById(id)?.textContent ?? "")
      .join(" ")
      .trim();
  const ariaLabel = element.getAttribute("aria-label");
  if (ariaLabel !== null) return ariaLabel;
  if (
    element instanceof HTMLInputElement ||
    element instanceof HTMLSelectElement ||
    element instanceof HTMLTextAreaElement
  ) {
    return [...(element.labels ?? [])]
      .map((one) => one.textContent ?? "")
      .join(" ")
      .trim();
  }
  if (element.matches("fieldset")) return (element.querySelector("legend")?.textContent ?? "").trim();
  if (element.matches("dialog, nav, section, [role=log]")) return "";
  // A form without a name is no landmark.
  if (element.matches("form")) return "form";
  return (element.textContent ?? "").trim();
}

const REFERENCES = ["aria-labelledby", "aria-describedby", "for"];

function idProblems(): string[] {
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `id twice: ${id}`);
  const dangling = REFERENCES.flatMap((attribute) =>
    [...document.querySelectorAll(`[${attribute}]`)].flatMap((one) =>
      (one.getAttribute(attribute) ?? "")
        .split(" ")
        .filter((id) => document.getElementById(id) === null)
        .map((id) => `${attribute} names no element: ${id}`),
    ),
  );
  return [...twice, ...dangling];
}

// --- structure ----------------------------------------------------------------------------------------

function structureProblems(shown: readonly HTMLElement[]): string[] {
  const problems: string[] = [];
  const headings = shown.filter((one) => one.matches("h1, h2, h3") && one.closest("dialog") === null);
  const first = headings.filter((one) => one.tagName === "H1");
  if (first.length !== 1) problems.push(`${first.length} main headings`);
  if (headings[0]?.tagName !== "H1") problems.push("the first heading is not the main one");
  if (headings.some((one) => one.tagName === "H3")) problems.push("a heading of the third level without a reason");
  const live = [...document.querySelectorAll("[aria-live], [role=status], [role=alert], [role=log]")].filter(
    (one) => one.getAttribute("aria-live") !== "off",
  );
  if (live.length !== 1 || live[0]?.getAttribute("aria-live") !== "polite")
    problems.push(`${live.length} live regions`);
  if (document.documentElement.lang === "") problems.push("no language");
  if (document.title === "") problems.push("no title");
  for (const one of shown) if (one.tabIndex > 0) problems.push(`a tab order of its own: ${label(one)}`);
  // Whoever cannot point must be able to scroll.
  for (const one of shown) {
    const scrolls = one.scrollHeight > one.clientHeight + 1 && getComputedStyle(one).overflowY === "auto";
    if (scrolls && one.tabIndex < 0) problems.push(`scrolls without a keyboard: ${label(one)}`);
  }
  return problems;
}

// --- contrast -------------------------------------------------------------------------------------------

type Colour = readonly [red: number, green: number, blue: number, alpha: number];

function contrastProblems(shown: readonly HTMLElement[]): string[] {
  const problems: string[] = [];
  for (const element of shown) {
    if (isUnseen(element) || element.matches(":disabled, :disabled *")) continue;
    const style = getComputedStyle(element);
    const background = backgroundOf(element);
    const hasText = [...element.childNodes].some(
      ({ nodeType, textContent }) => nodeType === 3 && textContent?.trim() !== "",
    );
    if (hasText) {
      const large =
        Number.parseFloat(style.fontSize) >= 24 ||
        (Number.parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
      need(element, "text", style.color, background, large ? 3 : 4.5, problems);
    }
    if (element.matches("input:not([type=radio]), textarea, select")) {
      need(element, "text", style.color, background, 4.5, problems);
      need(element, "placeholder", getComputedStyle(element, "::placeholder").color, background, 4.5, problems);
      need(element, "border", style.borderTopColor, backgroundOf(element.parentElement ?? element), 3, problems);
    }
  }
  return problems;
}

function need(
  element: Element,
  what: string,
  colour: string,
  background: Colour,
  least: number,
  problems: string[],
): void {
  const ratio = contrast(over(parse(colour), background), background);
  if (ratio < least) problems.push(`${what} has contrast ${ratio.toFixed(2)} of ${least}: ${label(element)}`);
}

function backgroundOf(element: Element): Colour {
  const layers: Colour[] = [];
  for (let at: Element | null = element; at !== null; at = at.parentElement)
    layers.push(parse(getComputedStyle(at).backgroundColor));
  return layers.reduceRight<Colour>((below, layer) => over(layer, below), [255, 255, 255, 1]);
}

function parse(colour: string): Colour {
  const [red = 0, green = 0, blue = 0, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  if (!/^rgba?\(/.test(colour)) throw new TypeError(`a colour this audit cannot read: ${colour}`);
  return [red, green, blue, alpha];
}

function over([red, green, blue, alpha]: Colour, below: Colour): Colour {
  const mix = (top: number, bottom: number): number => top * alpha + bottom * (1 - alpha);
  return [mix(red, below[0]), mix(green, below[1]), mix(blue, below[2]), 1];
}

function contrast(a: Colour, b: Colour): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance([red, green, blue]: Colour): number {
  const linear = (value: number): number =>
    value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

// --- sizes ------------------------------------------------------------------------------------------------

function sizeProblems(shown: readonly HTMLElement[]): string[] {
  const problems: string[] = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width)
    problems.push(`the page is ${document.documentElement.scrollWidth} wide of ${width}`);
  for (const element of shown) {
    if (isUnseen(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.right > width + 1 || box.left < -1) problems.push(`outside the page: ${label(element)}`);
    // WCAG 2.5.8: 24 by 24 pixels, but for links in a text.
    const isTarget = element.matches("button, summary, select, input:not([type=radio]), textarea, nav a, .button");
    if (isTarget && (box.width < 24 || box.height < 24)) problems.push(`too small to hit: ${label(element)}`);
  }
  return problems;
}

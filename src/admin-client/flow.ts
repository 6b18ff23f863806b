/**
 * Answers that flow: lines of JSON, passed on as they come and no faster than they are taken.
 *
 * This file owns that passing on. It must never hold more than a piece, and says so if the end was not one.
 */
import { ADMIN_PATIENCE_MS_MAX } from "../limits.ts";

/** Takes a piece of text; resolves when there is place for the next. */
export type Sink = (text: string) => Promise<void>;

/**
 * Passes a body on.
 * @param clean makes of each piece what may be shown
 * @param patience is begun anew with every piece
 * @returns what went wrong, in words; undefined if it came to its end
 */
export async function passOn(
  response: Response,
  sink: Sink,
  clean: (text: string) => string,
  patience: Patience,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  try {
    for await (const piece of response.body ?? []) {
      patience.beginAnew();
      await sink(clean(decoder.decode(piece, { stream: true })));
    }
    await sink(clean(decoder.decode()));
    return undefined;
  } catch (_broken) {
    return "the answer broke off: what was written is not all there is";
  } finally {
    patience.end();
  }
}

/** How long to wait for a server that says nothing. */
export class Patience {
  readonly #controller = new AbortController();
  #timer: Timer | undefined;

  constructor() {
    this.beginAnew();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  beginAnew(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), ADMIN_PATIENCE_MS_MAX);
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

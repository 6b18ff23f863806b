/**
 * The chat on a whole screen: keys in, frames out, and the terminal left as it was found.
 *
 * This file owns the terminal's mode. Whatever happens, it must never leave a terminal raw or on its other
 * screen, and never write a stranger's text past the frame.
 */

import { systemClock } from "../client/clock.ts";
import type { Conversation } from "../client/conversation.ts";
import type { Happening, Wishes } from "../client/happening.ts";
import { ESCAPE_MS, PARTNER_TYPING_MS_MAX } from "../client-limits.ts";
import { Chatter } from "./chatter.ts";
import { type Frame, layOut } from "./frame.ts";
import { type Key, KeyDecoder } from "./keys.ts";
import { textOf } from "./line-editor.ts";
import { ENTER_SCREEN, LEAVE_SCREEN, Painter } from "./painter.ts";
import { oneLine } from "./safe-text.ts";
import { addEntry, emptyScreen, pressKey, type ScreenState, settleEntry } from "./screen-state.ts";
import { complain, EXIT, onEndSignals } from "./standard-streams.ts";

interface ScreenFaceOptions {
  readonly conversation: Conversation;
  readonly wishes: Wishes;
  readonly code: string | undefined;
  readonly hasColours: boolean;
}

/** Rows and columns where the terminal does not say. */
const USUAL = { columns: 80, rows: 24 };

export class ScreenFace {
  readonly #conversation: Conversation;
  readonly #code: string | undefined;
  readonly #chatter: Chatter;
  readonly #painter: Painter;
  readonly #keys = new KeyDecoder();
  readonly #ended = Promise.withResolvers<number>();
  #state: ScreenState;
  #frame: Frame;
  #isOn = false;
  #isEnding = false;
  #isDue = false;
  #cancelEscape: () => void = () => undefined;
  #cancelTyping: () => void = () => undefined;

  constructor({ conversation, wishes, code, hasColours }: ScreenFaceOptions) {
    this.#conversation = conversation;
    this.#code = code;
    this.#painter = new Painter(hasColours);
    this.#state = emptyScreen(USUAL.columns, USUAL.rows);
    this.#frame = layOut(this.#state, systemClock.now());
    this.#chatter = new Chatter(
      conversation,
      wishes,
      {
        show: (entry) => this.#become(addEntry(this.#state, entry)),
        settle: (id, fate) => this.#become(settleEntry(this.#state, id, fate)),
        quit: () => this.#end(EXIT.fine),
      },
      systemClock.now,
    );
  }

  heard(happening: Happening): void {
    this.#chatter.heard(happening);
    if (happening.type === "event")
      this.#heardPartner(happening.event.name, "typing" in happening.event && happening.event.typing);
    if (happening.type === "place") this.#situate({ isPartnerAway: false, isPartnerTyping: false });
    if (happening.type === "connection_lost") this.#situate({ retryAt: systemClock.now() + happening.retryInMs });
    this.#situate({});
  }

  async run(): Promise<number> {
    const { stdin, stdout } = process;
    this.#turnOn();
    process.on("exit", () => this.#turnOff());
    process.on("uncaughtException", (problem) => {
      // The terminal first, so that what went wrong can be read.
      this.#turnOff();
      complain(oneLine(String(problem)));
      process.exit(EXIT.failed);
    });
    onEndSignals(() => this.#interrupt());
    process.on("SIGCONT", () => this.#turnOn());
    stdout.on("resize", () => this.#resize());
    stdout.on("error", () => this.#end(EXIT.fine));
    stdin.on("data", (bytes: Uint8Array) => this.#typed(bytes));
    stdin.on("end", () => this.#end(EXIT.fine));
    // Time passes on the status line.
    const ticker = setInterval(() => this.#situate({}), 1000);
    void this.#chatter.start(this.#code);

    const code = await this.#ended.promise;
    clearInterval(ticker);
    this.#turnOff();
    return code;
  }

  // --- the terminal ---------------------------------------------------------------------------

  #turnOn(): void {
    if (this.#isEnding) return;
    this.#isOn = true;
    process.stdin.setRawMode(true);
    process.stdin.resume();
    process.stdout.write(ENTER_SCREEN);
    this.#resize();
  }

  #turnOff(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    process.stdout.write(LEAVE_SCREEN);
    process.stdin.setRawMode(false);
  }

  /** Steps aside for the shell, as Ctrl-Z does everywhere. */
  #suspend(): void {
    this.#turnOff();
    process.kill(process.pid, "SIGTSTP");
  }

  #resize(): void {
    const { columns = USUAL.columns, rows = USUAL.rows } = process.stdout;
    this.#painter.forget();
    this.#become({ ...this.#state, columns: columns || USUAL.columns, rows: rows || USUAL.rows });
  }

  #become(state: ScreenState): void {
    this.#state = state;
    if (this.#isDue) return;
    // Everything of one turn is one frame.
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (!this.#isOn) return;
      this.#frame = layOut(this.#state, systemClock.now());
      const bytes = this.#painter.paint(this.#frame);
      if (bytes !== "") process.stdout.write(bytes);
    });
  }

  // --- keys -----------------------------------------------------------------------------------

  #typed(bytes: Uint8Array): void {
    this.#cancelEscape();
    for (const key of this.#keys.push(bytes)) this.#press(key);
    if (!this.#keys.isUndecided) return;
    this.#cancelEscape = systemClock.after(ESCAPE_MS, () => {
      for (const key of this.#keys.settle()) this.#press(key);
    });
  }

  #press(key: Key): void {
    const { state, effect } = pressKey(this.#state, key, this.#frame);
    this.#become(state);
    if (typeof effect === "object") {
      void this.#chatter.typed(effect.submit);
      return;
    }
    switch (effect) {
      case "typing": {
        // Whoever types a command writes to the program, not to the partner.
        const text = textOf(state.draft);
        this.#conversation.typing(text !== "" && !text.startsWith("/"));
        return;
      }
      case "interrupt":
        this.#interrupt();
        return;
      case "end_of_input":
        this.#end(EXIT.fine);
        return;
      case "suspend":
        this.#suspend();
        return;
      case "redraw":
        this.#resize();
        return;
      case "none":
        return;
    }
  }

  #interrupt(): void {
    if (!this.#isEnding) {
      this.#end(EXIT.fine);
      return;
    }
    this.#turnOff();
    process.exit(EXIT.interrupted);
  }

  /** The screen is given back at once; leaving takes place after it. */
  #end(code: number): void {
    this.#isEnding = true;
    this.#ended.resolve(code);
  }

  // --- the situation --------------------------------------------------------------------------

  #heardPartner(name: string, typing: boolean): void {
    if (name === "partner.away" || name === "partner.back") this.#situate({ isPartnerAway: name === "partner.away" });
    if (name !== "partner.typing" && name !== "message.received") return;
    this.#cancelTyping();
    this.#situate({ isPartnerTyping: typing });
    // A sign that is never taken back, as when the partner's connection is lost, ends by itself.
    if (typing)
      this.#cancelTyping = systemClock.after(PARTNER_TYPING_MS_MAX, () => this.#situate({ isPartnerTyping: false }));
  }

  #situate(news: Partial<ScreenState["situation"]>): void {
    const { place, isConnected, unsent } = this.#conversation;
    this.#become({ ...this.#state, situation: { ...this.#state.situation, ...news, place, isConnected, unsent } });
  }
}

/**
 * The chat line by line: for pipes, screen readers and terminals that can do no more. Not one escape
 * sequence is written.
 *
 * This file owns the order of input and output there. It must never read a line that nobody could hear.
 */

import { systemClock } from "../client/clock.ts";
import type { Conversation } from "../client/conversation.ts";
import type { Happening, Wishes } from "../client/happening.ts";
import { Chatter } from "./chatter.ts";
import { understand } from "./commands.ts";
import { linesOf } from "./line-reader.ts";
import { plainLine } from "./plain-lines.ts";
import { EXIT, LineOutput, onEndSignals } from "./standard-streams.ts";

interface PlainFaceOptions {
  readonly conversation: Conversation;
  readonly wishes: Wishes;
  readonly code: string | undefined;
}

export class PlainFace {
  readonly #conversation: Conversation;
  readonly #code: string | undefined;
  readonly #chatter: Chatter;
  readonly #output = new LineOutput();
  readonly #ended = Promise.withResolvers<number>();
  #wake: () => void = () => undefined;

  constructor({ conversation, wishes, code }: PlainFaceOptions) {
    this.#conversation = conversation;
    this.#code = code;
    const display = {
      show: (entry: Parameters<typeof plainLine>[0]) => this.#output.write(plainLine(entry)),
      // A line that is printed stays; whatever failed says so in a line of its own.
      settle: () => undefined,
      quit: () => this.#ended.resolve(EXIT.fine),
    };
    this.#chatter = new Chatter(conversation, wishes, display, systemClock.now);
  }

  heard(happening: Happening): void {
    this.#chatter.heard(happening);
    this.#wake();
  }

  async run(): Promise<number> {
    let isStopping = false;
    onEndSignals(() => {
      if (isStopping) process.exit(EXIT.interrupted);
      isStopping = true;
      this.#ended.resolve(EXIT.fine);
    });
    this.#output.broken.then(() => this.#ended.resolve(EXIT.fine));
    await this.#chatter.start(this.#code);
    void this.#read();
    const code = await this.#ended.promise;
    await this.#output.drained();
    return code;
  }

  async #read(): Promise<void> {
    const isPerson = process.stdin.isTTY === true;
    for await (const line of linesOf(Bun.stdin.stream())) {
      // A person sees that nobody is there; a pipe has to be told to wait.
      if (!isPerson && understand(line).wish === "say") {
        while (this.#conversation.place.at === "waiting") await this.#change();
      }
      await this.#chatter.typed(line);
    }
    while (this.#conversation.unsent > 0) await this.#change();
    this.#ended.resolve(EXIT.fine);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/**
 * `mcp-chat tail`: events as lines on stdout, lines of stdin as messages, for shell scripts and for
 * whatever watches over a chat.
 *
 * This file owns when it begins and ends. Only events go to stdout, everything else to stderr; the session
 * token goes to neither.
 */

import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { systemClock } from "../client/clock.ts";
import { Conversation } from "../client/conversation.ts";
import type { Happening, Outcome, Place } from "../client/happening.ts";
import { TAIL_RETRY_MS } from "../client-limits.ts";
import type { ClientConfig } from "../client-settings.ts";
import { linesOf } from "./line-reader.ts";
import { eventJson, eventLine } from "./plain-lines.ts";
import { oneLine } from "./safe-text.ts";
import { complain, EXIT, goodbye, LineOutput, onEndSignals } from "./standard-streams.ts";

/** Follows or takes part until the chat ends. @returns the exit code */
export async function runTail(config: ClientConfig, version: string): Promise<number> {
  const token = config.sessionToken ?? readToken(config);
  const enters = config.enter || config.code !== undefined;
  if (token === undefined && !enters) {
    complain(`there is no session token in ${oneLine(config.tokenFile ?? "the environment")}`);
    return EXIT.failed;
  }
  return new Tail(config, version, token, enters).run();
}

class Tail {
  readonly #config: ClientConfig;
  readonly #enters: boolean;
  readonly #output = new LineOutput();
  readonly #conversation: Conversation;
  readonly #ended = Promise.withResolvers<number>();
  #place: Place["at"] = "idle";
  /** Wakes whoever waits for a partner or for room in the outbox. */
  #wake: () => void = () => undefined;
  #isLost = false;

  constructor(config: ClientConfig, version: string, sessionToken: string | undefined, enters: boolean) {
    this.#config = config;
    this.#enters = enters;
    const { endpoint, accessToken } = config;
    this.#conversation = new Conversation(
      { endpoint, accessToken, sessionToken, client: { name: "mcp-chat-tail", version }, clock: systemClock },
      (happening) => this.#heard(happening),
    );
  }

  async run(): Promise<number> {
    let isStopping = false;
    onEndSignals(() => {
      if (isStopping) process.exit(EXIT.interrupted);
      isStopping = true;
      this.#ended.resolve(EXIT.fine);
    });
    this.#output.broken.then(() => this.#ended.resolve(EXIT.fine));

    const fault = await this.#conversation.open();
    if (fault !== undefined) {
      complain(fault.message);
      return EXIT.failed;
    }
    const refusal = await (this.#enters ? this.#enter() : this.#conversation.follow());
    if (refusal !== undefined) this.#fail(refusal.message);
    else void this.#speak();

    const code = await this.#ended.promise;
    // The last message may have reached a partner who left at once: its answer is still on the way.
    if (this.#place === "idle") await goodbye(this.#until(() => this.#conversation.unsent === 0));
    // Whoever only followed must not end somebody else's chat.
    await goodbye(this.#conversation.close(this.#enters));
    await this.#output.drained();
    return code;
  }

  #enter(): Promise<Outcome> {
    const { code } = this.#config;
    return code === undefined ? this.#conversation.enter(this.#config) : this.#conversation.join(code, this.#config);
  }

  #fail(message: string): void {
    complain(oneLine(message));
    this.#ended.resolve(EXIT.failed);
  }

  #heard(happening: Happening): void {
    switch (happening.type) {
      case "event":
        // That somebody types is over before a script has read it.
        if (happening.event.name !== "partner.typing") {
          this.#output.write(this.#config.json ? eventJson(happening.event) : eventLine(happening.event));
        }
        return;
      case "place":
        this.#moved(happening.place.at);
        return;
      case "token":
        this.#keepToken(happening.token);
        return;
      case "sent":
        this.#wake();
        return;
      case "unsent":
        complain(`not sent: ${oneLine(happening.reason)}`);
        this.#wake();
        return;
      case "connection_lost":
        if (!this.#isLost) complain("the connection is lost; trying again");
        this.#isLost = true;
        return;
      case "connected":
        if (this.#isLost) complain("the connection is back");
        this.#isLost = false;
        return;
      case "connection_ended":
        this.#fail(happening.fault.message);
        return;
      case "gap":
        complain("some events came too late to be kept and are lost");
        return;
      case "forgotten":
        if (this.#enters) complain("the server does not know this user any more, as after a restart");
        else this.#fail("the server does not know this user any more");
        return;
    }
  }

  #moved(to: Place["at"]): void {
    const wasChatting = this.#place === "chatting";
    this.#place = to;
    this.#wake();
    if (to !== "idle") return;
    if (wasChatting && !this.#config.again) this.#ended.resolve(EXIT.fine);
    else if (this.#enters && this.#config.again) void this.#enterAgain();
    else if (this.#enters) this.#fail("not waiting any more");
  }

  async #enterAgain(): Promise<void> {
    const refusal = await this.#enter();
    if (refusal === undefined) return;
    complain(oneLine(refusal.message));
    systemClock.after(Math.max(TAIL_RETRY_MS, refusal.retryAfterMs ?? 0), () => {
      if (this.#place === "idle") void this.#enterAgain();
    });
  }

  // --- speaking -------------------------------------------------------------------------------

  /** Says what stdin says. A line is read only when somebody is there to hear it. */
  async #speak(): Promise<void> {
    const lines = linesOf(Bun.stdin.stream());
    await this.#until(() => this.#place === "chatting");
    for await (const line of lines) {
      if (line.trim() === "") continue;
      await this.#until(() => this.#place === "chatting");
      while (this.#conversation.say(line) === "too many") await this.#change();
      await this.#until(() => this.#conversation.unsent === 0 || this.#place !== "chatting");
    }
    if (this.#config.leave) this.#ended.resolve(EXIT.fine);
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  // --- the token ------------------------------------------------------------------------------

  #keepToken(token: string): void {
    const { tokenFile } = this.#config;
    if (tokenFile === undefined) return;
    try {
      // Never readable by others, not even for the moment before its mode is set; and never half written.
      const next = `${tokenFile}.${process.pid}.new`;
      writeFileSync(next, `${token}\n`, { mode: 0o600, flag: "wx" });
      chmodSync(next, 0o600);
      renameSync(next, tokenFile);
    } catch {
      this.#fail(`cannot write ${tokenFile}`);
    }
  }
}

/** What an earlier run has kept; undefined if there is nothing of the kind. */
function readToken({ tokenFile }: ClientConfig): string | undefined {
  if (tokenFile === undefined) return undefined;
  try {
    return /^mcpc_[\w-]{20,128}$/.exec(readFileSync(tokenFile, "utf8").trim())?.[0];
  } catch {
    return undefined;
  }
}

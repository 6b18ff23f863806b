/**
 * What nodes tell each other beside the journal, by publishing: quick, unordered, and lost where nobody listens.
 *
 * This file owns its spelling and its bounds. It must never be relied on.
 */
import { WHISPER_CHARS_MAX, WHISPERS_MAX } from "../journal-limits.ts";
import type { Whisper } from "./journal.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { whisperChannel } from "./redis-stream.ts";

export class Whispers {
  /** Whoever whispers hears it too: this tells one's own. */
  readonly #me = crypto.randomUUID();
  readonly #channel: string;
  readonly #listeners: ((topic: string, message: Whisper) => void)[] = [];
  #underWay = 0;

  constructor(database: number) {
    this.#channel = whisperChannel(database);
  }

  listen(listener: (topic: string, message: Whisper) => void): void {
    this.#listeners.push(listener);
  }

  /** @param connection undefined = there is none, and nobody hears it */
  say(connection: RedisConnection | undefined, topic: string, message: Whisper): void {
    const text = JSON.stringify([this.#me, topic, message]);
    if (connection === undefined || text.length > WHISPER_CHARS_MAX || this.#underWay >= WHISPERS_MAX) return;
    this.#underWay++;
    const done = (): void => {
      this.#underWay--;
    };
    connection.send("PUBLISH", [this.#channel, text]).then(done, done);
  }

  hear(text: string): void {
    const [from, topic, message] = parsed(text);
    if (typeof from !== "string" || from === this.#me || typeof topic !== "string" || message === undefined) return;
    for (const listener of this.#listeners) listener(topic, message as Whisper);
  }
}

/** Anybody who reaches Redis may publish anything. */
function parsed(text: string): readonly unknown[] {
  if (text.length > WHISPER_CHARS_MAX) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [];
  } catch (_notOurs) {
    return [];
  }
}

/**
 * Servers under test: the product and its peers, as programs of their own.
 *
 * This file owns how each is started and spoken to. It must never lift a duty from the product: only
 * its limits on how much one user may say.
 */
import { join } from "node:path";
import { cleanEnvironment, end, keepTrack, onCore, within } from "./child.ts";
import type { Speech } from "./load/requests.ts";

export type PeerName = "product" | "ceiling" | "sdk-v1-bun" | "sdk-v1-express" | "sdk-v2-bun";

const HERE = import.meta.dir;
const bun = (file: string): readonly string[] => [process.execPath, join(HERE, file)];

/** What the product's limits would forbid: one user speaking without a pause, agents talking without an end. */
export const UNLIMITED = "--rate-messages-per-second 0 --loop-messages-max 0 --log-level error".split(" ");

const START_MS_MAX = 20_000;
const STOP_MS_MAX = 5000;

export interface ServerOptions {
  readonly peer: PeerName;
  /** More settings of the product. */
  readonly settings?: readonly string[];
  /** Instead of the product from the sources with everything on. */
  readonly product?: readonly string[];
}

/** Files that servers need beside their sources. */
interface Provisions {
  readonly bundleForNode: string;
  readonly wordsFile: string;
}

let provisions: Provisions | undefined;

/** Makes what servers need into a folder. To be called once, before any of them starts. */
export async function provide(folder: string): Promise<void> {
  const wordsFile = join(folder, "words.txt");
  await Bun.write(wordsFile, UNWANTED_WORDS.join("\n"));
  provisions = { bundleForNode: await bundle(folder), wordsFile };
}

/** Words that no message has: a list as long as an operator's may be. */
const LETTERS = [..."abcdefghijklmno"];
const UNWANTED_WORDS = LETTERS.flatMap((first) => LETTERS.map((second) => `unwanted${first}${second}`));

/** The peer that runs on Node cannot run from its source. */
async function bundle(folder: string): Promise<string> {
  const entrypoints = [join(HERE, "peers/sdk-v1-express.ts")];
  const result = await Bun.build({ entrypoints, target: "node", format: "esm", outdir: folder, naming: "[name].mjs" });
  if (!result.success) throw new AggregateError(result.logs, "the peer for Node could not be bundled");
  return join(folder, "sdk-v1-express.mjs");
}

function commandOf({ peer, settings = [], product }: ServerOptions): readonly string[] {
  if (provisions === undefined) throw new Error("nothing has been provided for servers");
  switch (peer) {
    case "product": {
      const everything = ["--metrics", "--words-file", provisions.wordsFile];
      const command = product ?? [...bun("../../src/main.ts"), ...everything];
      return [...command, "--port", "0", ...UNLIMITED, ...settings];
    }
    case "sdk-v1-express":
      return ["node", provisions.bundleForNode];
    default:
      return bun(`peers/${peer}.ts`);
  }
}

/** How a server is spoken to in each era, and how its users hear. */
export function speechOf(
  peer: PeerName,
  era: "legacy" | "modern",
  reading: "one type" | "every type" = "one type",
): Speech {
  if (era === "legacy") return { era, reading: "get", lateHead: peer === "sdk-v1-bun" };
  if (peer === "sdk-v2-bun") return { era, reading: "subscriptions", lateHead: true };
  return { era, reading: reading === "one type" ? "message.received" : "chat.activity" };
}

/** A server that listens. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: Bun.Subprocess;

  private constructor(child: Bun.Subprocess, port: number) {
    this.#child = child;
    this.port = port;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Starts a server and waits until it says where it listens. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const command = onCore("server", commandOf(options));
    const child = keepTrack(Bun.spawn(command, { env: cleanEnvironment(), stdio: ["ignore", "pipe", "inherit"] }));
    const port = await within(`the start of ${options.peer}`, START_MS_MAX, portOf(child.stdout));
    if (port === undefined) {
      child.kill("SIGKILL");
      throw new Error(`${options.peer} did not say where it listens`);
    }
    return new ServerProcess(child, port);
  }

  /** Ends it as a failing machine would. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#child, STOP_MS_MAX);
  }
}

/** The port a server names on its first lines; undefined if it ends before. */
async function portOf(output: ReadableStream<Uint8Array>): Promise<number | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  const reader = output.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    text += decoder.decode(value, { stream: true });
    const [, port] = /listening on http:\/\/[\d.]+:(\d+)\//.exec(text) ?? [];
    if (port === undefined) continue;
    // Whatever it says from now on is of no interest, but must not fill the pipe.
    drainSilently(reader);
    return Number(port);
  }
}

function drainSilently(reader: { read(): Promise<{ done: boolean }> }): void {
  reader.read().then(
    ({ done }) => (done ? undefined : drainSilently(reader)),
    () => undefined,
  );
}

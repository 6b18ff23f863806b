/**
 * The load process seen from the benchmark: orders go out, reports come back.
 *
 * This file owns that process and how long an order may take. It must never measure anything itself.
 */
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { cleanEnvironment, keepTrack, onCore, within } from "./child.ts";
import type { OrderName, Orders, ReportMessage } from "./load/orders.ts";

const MAIN = join(import.meta.dir, "load/main.ts");

/** Longest an order may take: that of the largest crowd on a slow machine. */
const ORDER_MS_MAX = 120_000;

export class LoadProcess implements Disposable {
  readonly #child: Bun.Subprocess;
  #reported: PromiseWithResolvers<unknown> | undefined;

  constructor() {
    this.#child = keepTrack(
      Bun.spawn(onCore("load", [process.execPath, MAIN]), {
        env: cleanEnvironment(),
        stdio: ["ignore", "ignore", "inherit"],
        serialization: "json",
        ipc: (message: ReportMessage) => {
          if ("failure" in message) this.#reported?.reject(new Error(message.failure));
          else this.#reported?.resolve(message.report);
        },
      }),
    );
    this.#child.exited.then((code) => this.#reported?.reject(new Error(`the load process ended with ${code}`)));
  }

  /** Has one order carried out. Rejects if it fails, or takes far too long. One at a time. */
  async carryOut<Name extends OrderName>(name: Name, order: Orders[Name]["order"]): Promise<Orders[Name]["report"]> {
    const reported = Promise.withResolvers<unknown>();
    this.#reported = reported;
    this.#child.send({ name, order });
    // Sound because the other side answers each order with the report of its name.
    return (await within(`the order ${name}`, ORDER_MS_MAX, reported.promise)) as Orders[Name]["report"];
  }

  /** Lets others on the same core go first. */
  stepBack(): void {
    setPriority(this.#child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

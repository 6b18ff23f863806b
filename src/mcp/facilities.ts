/**
 * What calls may need beyond their own message: asking the client in either era, tasks, streams that
 * can be resumed. One set for all calls of a server.
 *
 * This file owns their composition. None of them costs a call anything that does not use it.
 */

import { ClientRequests } from "./client-requests.ts";
import { INTERNAL } from "./errors.ts";
import type { RoundsOptions } from "./input-required.ts";
import type { Requester, ServerDefinition, ToolResult } from "./registry.ts";
import { RepeatedCalls } from "./repeated-call.ts";
import { requesterOf } from "./requester.ts";
import { ResumableStreams } from "./resumable-stream.ts";
import { Sealer } from "./sealing.ts";
import { Tasks } from "./tasks.ts";
import type { NoInput } from "./work-context.ts";

export interface FacilitiesOptions {
  readonly server: Pick<ServerDefinition, "info" | "principal">;
  /** 32 bytes that seal what travels with a client. */
  readonly key: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Reports a bug of an application's work. */
  readonly report: (bug: unknown) => void;
}

/** The `_meta` member with which results name the server. */
const SERVER_INFO = "io.modelcontextprotocol/serverInfo";

export class Facilities {
  readonly clientRequests: ClientRequests;
  readonly rounds: RoundsOptions;
  readonly tasks: Tasks;
  readonly resumable: ResumableStreams;
  readonly repeats: RepeatedCalls;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly #server: FacilitiesOptions["server"];

  constructor({ server, key, now, report }: FacilitiesOptions) {
    this.#server = server;
    this.clientRequests = new ClientRequests(now);
    this.rounds = {
      sealer: new Sealer(key, "requestState 1"),
      now,
      meta: `{${JSON.stringify(SERVER_INFO)}:${JSON.stringify(server.info)}}`,
    };
    this.tasks = new Tasks({
      now,
      withoutInput,
      failure(bug) {
        report(bug);
        return { code: INTERNAL.code, message: INTERNAL.message };
      },
    });
    this.repeats = new RepeatedCalls(key);
    this.now = now;
    this.resumable = new ResumableStreams(now, this.repeats);
  }

  /** Whom a caller counts as where numbers are limited for each; undefined = nobody known. */
  countedAs(requester: Requester): string | undefined {
    const server = this.#server;
    return server.principal === undefined ? requester.bearer : server.principal(requesterOf(requester));
  }

  /** Gives up what has waited too long. To be called now and then. */
  sweep(): void {
    this.clientRequests.sweep();
    this.tasks.sweep();
    this.resumable.sweep();
  }

  /** Ends what goes on without a request. */
  stop(): void {
    this.tasks.stop();
  }
}

/** The result of a tool that went without input it needs. */
export function withoutInput(problem: NoInput): ToolResult {
  return { content: [{ type: "text", text: problem.message }], isError: true };
}

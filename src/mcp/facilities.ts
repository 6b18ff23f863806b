/**
 * What calls may need beyond their own message: asking the client in either era, tasks, streams that
 * can be resumed. One set for all calls of a server.
 *
 * This file owns their composition. None of them costs a call anything that does not use it.
 */

import { ClientRequests } from "./client-requests.ts";
import { INTERNAL } from "./errors.ts";
import type { RoundsOptions } from "./input-required.ts";
import type { Implementation, ToolResult } from "./registry.ts";
import { ResumableStreams } from "./resumable-stream.ts";
import { Sealer } from "./sealing.ts";
import { Tasks } from "./tasks.ts";
import type { NoInput } from "./work-context.ts";

export interface FacilitiesOptions {
  readonly info: Implementation;
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

  constructor({ info, key, now, report }: FacilitiesOptions) {
    this.clientRequests = new ClientRequests(now);
    this.rounds = {
      sealer: new Sealer(key, "requestState 1"),
      now,
      meta: `{${JSON.stringify(SERVER_INFO)}:${JSON.stringify(info)}}`,
    };
    this.tasks = new Tasks({
      now,
      withoutInput,
      failure(bug) {
        report(bug);
        return { code: INTERNAL.code, message: INTERNAL.message };
      },
    });
    this.resumable = new ResumableStreams(now);
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

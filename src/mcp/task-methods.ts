/**
 * The methods by which a client looks after its tasks (extension io.modelcontextprotocol/tasks):
 * `tasks/get`, `tasks/update`, `tasks/cancel`. They exist in the modern era only.
 *
 * This file owns who may call them and their answers. It must never tell a task that is somebody
 * else's from one that does not exist.
 */

import type { Call } from "./call.ts";
import type { Method, Outcome } from "./dispatch.ts";
import type { Envelope } from "./envelope.ts";
import { invalidParams } from "./errors.ts";
import { isObject } from "./jsonrpc.ts";
import type { Tool } from "./registry.ts";
import type { Task } from "./tasks.ts";

const UNKNOWN_TASK = invalidParams("there is no such task, or its time is over.");

/** Whether a server's tools start tasks, so that it offers the extension. */
export function offersTasks(tools: readonly Tool[]): boolean {
  return tools.some((tool) => tool.task !== undefined);
}

export function taskMethods(envelope: Envelope): readonly (readonly [name: string, method: Method])[] {
  return [
    ["tasks/get", (call) => withTask(call, (task) => envelope.complete(task.detail()))],
    [
      "tasks/update",
      (call) => {
        const responses = call.request.params?.inputResponses;
        if (!isObject(responses) && call.supports("tasksExtension")) {
          return invalidParams("inputResponses must be an object.");
        }
        return withTask(call, (task) => {
          if (isObject(responses)) task.update(responses);
          return envelope.complete({});
        });
      },
    ],
    [
      "tasks/cancel",
      (call) =>
        withTask(call, (task) => {
          task.cancel();
          return envelope.complete({});
        }),
    ],
  ];
}

function withTask(call: Call, use: (task: Task) => Outcome): Outcome {
  if (!call.supports("tasksExtension")) return call.refuse(["tasksExtension"]);
  const id = call.request.params?.taskId;
  if (typeof id !== "string") return invalidParams("taskId must be a string.");
  const task = call.findTask(id);
  return task === undefined ? UNKNOWN_TASK : use(task);
}

/**
 * Answers that wait until what they tell of is kept, where anything is kept.
 *
 * This file owns that wait. It must never change an answer, nor cost anything where nothing is kept.
 */

type Handler = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

/** What stands between a turn and the telling of it. */
export interface Safety {
  /** When everything done so far is kept; undefined if it is already. If it never will be, this never resolves. */
  whenSafe(): Promise<void> | undefined;
  /** Has everything done so far kept now. False: it cannot be, and nothing may be told any more. */
  makeSafe(): boolean;
}

/** The same handler, whose answers leave once everything is kept that was done before they were ready. */
export function onceSafe(safety: Safety | undefined, handle: Handler): Handler {
  if (safety === undefined) return handle;
  const wait = (response: Response): Response | Promise<Response> =>
    safety.whenSafe()?.then(() => response) ?? response;
  return (request, server) => {
    const response = handle(request, server);
    return response instanceof Promise ? response.then(wait) : wait(response);
  };
}

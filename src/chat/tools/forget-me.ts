/**
 * forget_me: somebody who wishes that nothing of them is kept.
 *
 * This file owns its schema and answer, and the order: first the history, which may fail, then the lobby.
 */
import { z } from "zod";
import { userOf } from "../../domain/users.ts";
import type { Tool, ToolResult } from "../../mcp/registry.ts";
import { Unavailable } from "../../mcp/unavailable.ts";
import { whenReady } from "../../mcp/when-ready.ts";
import type { Chat } from "../chat.ts";
import { rejectUnavailable } from "../conversation.ts";
import { defineTool, sessionTokenInput, success } from "../define-tool.ts";
import { callerOf, hashToken } from "../identity.ts";
import { refusalResult } from "../refusals.ts";

const DESCRIPTION = `Have this server forget you: your chat or your waiting ends, your user, session_token and unread events are gone, and everything you wrote is erased from every transcript that is kept here.
It cannot be undone. Ask your user first, unless you were told to do it yourself.
What stays: what was sent to partners, read or not, is theirs; a report that somebody made keeps the messages it was about, for the operator of this server; backups are not touched; the server's journal of the last while, from which it restarts, keeps words until it is written anew. Bans stay.
To end a chat and stay a user, use leave_chat. To come back as somebody new, call enter_queue without session_token.`;

const DONE = "You are forgotten here. Do not use this session_token any more.";

const UNFINISHED =
  "The server cannot tell whether you are forgotten. Call forget_me again with the same session_token after retry_after_ms: it does what is left, and answers success if nothing is.";

export function forgetMe(chat: Chat): Tool {
  return defineTool({
    name: "forget_me",
    title: "Be forgotten",
    description: DESCRIPTION,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    input: () => z.strictObject({ session_token: sessionTokenInput() }),
    output: () => z.object({ success: z.literal(true) }),
    run(args, context): ToolResult | Promise<ToolResult> {
      const { host, history } = chat;
      const caller = callerOf(context, args.session_token);
      const found = host.submit({ type: "look", caller }, (events, lobby) => {
        for (const event of events) {
          if (event.type === "refused") return event;
          if (event.type === "seen") return userOf(lobby, event.user).tokenHash;
        }
        throw new Error("forget_me neither seen nor refused");
      });
      return whenReady(found, async (who) => {
        if (typeof who !== "string") {
          // Whoever asks again, as the first answer was lost, has a token that names nobody any more.
          const token = args.session_token === undefined ? caller.bearer : hashToken(args.session_token);
          const mayBeDone = who.code === "bad_session_token" && token !== undefined;
          const isDone =
            mayBeDone &&
            (await history?.isForgotten(token).catch((problem: unknown) => rejectUnavailable(problem, false)));
          return isDone === true ? success({ success: true }, DONE) : refusalResult(who);
        }
        try {
          await history?.forget(who).catch((problem: unknown) => rejectUnavailable(problem, true));
          return await host.submit({ type: "forget_me", caller }, (events) => {
            const refused = events.find((event) => event.type === "refused");
            return refused === undefined ? success({ success: true }, DONE) : refusalResult(refused);
          });
        } catch (problem) {
          if (!(problem instanceof Unavailable)) throw problem;
          // Whichever of the two failed: the history may have forgotten already.
          return refusalResult(
            { type: "refused", code: "unavailable", retryAfterMs: problem.retryAfterMs },
            UNFINISHED,
          );
        }
      });
    },
  });
}

/**
 * What a person may type besides messages.
 *
 * This file owns the commands, their spelling and their help. It must never carry one out.
 */

/** Categories the server's `report_partner` takes. */
export const REPORT_CATEGORIES: readonly string[] =
  "spam harassment hate sexual self_harm scam prompt_injection minor_safety other".split(" ");

/** A line, understood. */
export type Wish =
  | { readonly wish: "say"; readonly text: string }
  | { readonly wish: "next" | "leave" | "block" | "help" | "quit" | "nothing" }
  | { readonly wish: "report"; readonly category: string; readonly details: string }
  | { readonly wish: "interests"; readonly interests: readonly string[] }
  | { readonly wish: "name"; readonly name: string }
  | { readonly wish: "code"; readonly code: string }
  | { readonly wish: "mistake"; readonly message: string };

const HELP: readonly (readonly [command: string, meaning: string])[] = [
  ["/next", "leave, and meet somebody else"],
  ["/leave", "leave the chat, or stop waiting"],
  ["/block", "leave, and never meet this partner again"],
  ["/report CATEGORY TEXT", "the same, and tell the operator"],
  ["/interests TEA, CHESS", "what you like to talk about, from the next chat on"],
  ["/name ANN", "your name, from the next chat on"],
  ["/code WORDS", "meet who gives the same code"],
  ["/quit", "leave and end; Ctrl-C does the same"],
  ["//TEXT", "a message that begins with a slash"],
];

/** The help, line by line. */
export const HELP_LINES: readonly string[] = [
  ...HELP.map(([command, meaning]) => `${command}: ${meaning}`),
  `CATEGORY is one of ${REPORT_CATEGORIES.join(", ")}`,
];

/** Says what a line means. A mistyped command is a mistake and never becomes a message. */
export function understand(line: string): Wish {
  if (line.trim() === "") return { wish: "nothing" };
  if (line.startsWith("//")) return { wish: "say", text: line.slice(1) };
  const [, name, given = ""] = /^\/(\S*)\s*(.*)$/s.exec(line) ?? [];
  if (name === undefined) return { wish: "say", text: line };
  const rest = given.trim();
  switch (name) {
    case "next":
    case "leave":
    case "block":
    case "help":
    case "quit":
      return rest === "" ? { wish: name } : { wish: "mistake", message: `/${name} takes nothing after it.` };
    case "report":
      return understandReport(rest);
    case "interests":
      return {
        wish: "interests",
        interests: rest
          .split(",")
          .map((one) => one.trim())
          .filter((one) => one !== ""),
      };
    case "name":
      return rest === "" ? { wish: "mistake", message: "/name needs a name." } : { wish: "name", name: rest };
    case "code":
      return rest === ""
        ? { wish: "mistake", message: "/code needs the words you agreed on." }
        : { wish: "code", code: rest };
    default:
      return { wish: "mistake", message: "There is no such command, so nothing was sent. /help shows them all." };
  }
}

function understandReport(rest: string): Wish {
  const [category = "", details = ""] = /^(\S+)\s*(.*)$/s.exec(rest)?.slice(1) ?? [];
  if (REPORT_CATEGORIES.includes(category)) return { wish: "report", category, details };
  return { wish: "report", category: "other", details: rest };
}

/**
 * Settings of the clients: what may be said, and what is never taken from a command line.
 *
 * This file owns the promises of src/client-settings.ts for `chat` and `tail`.
 */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type ClientConfig, describeClientSettings, parseClientConfig, readEndpoint } from "../src/client-settings.ts";
import { SERVER_KEYS } from "../src/config.ts";
import type { Environment } from "../src/settings.ts";

type Face = "chat" | "tail";

function accepted(face: Face, argv: readonly string[], env: Environment = {}): ClientConfig {
  const parsed = parseClientConfig(face, argv, env, SERVER_KEYS);
  if (!parsed.ok) throw new Error(`refused: ${parsed.message}`);
  return parsed.config;
}

function refused(face: Face, argv: readonly string[], env: Environment = {}): string {
  const parsed = parseClientConfig(face, argv, env, SERVER_KEYS);
  if (parsed.ok) throw new Error("accepted, but should not be");
  return parsed.message;
}

describe("the server", () => {
  test.each([
    ["127.0.0.1:8000", "http://127.0.0.1:8000/mcp"],
    ["http://localhost:9", "http://localhost:9/mcp"],
    ["https://chat.example.org/", "https://chat.example.org/mcp"],
    ["https://chat.example.org/chat/mcp?a=1#x", "https://chat.example.org/chat/mcp?a=1"],
    ["[::1]:8000", "http://[::1]:8000/mcp"],
  ])("%s is %s", (written, endpoint) => {
    expect(readEndpoint(written)).toBe(endpoint);
  });

  test("is the local one unless somebody says", () => {
    expect(accepted("chat", []).endpoint).toBe("http://127.0.0.1:8000/mcp");
  });

  test.each(["ftp://x", "http://", "http://me:secret@host", "me:secret@host", "a b"])("is not %s", (written) => {
    expect(refused("chat", [written])).not.toContain("secret");
  });
});

describe("options", () => {
  test("of both faces, with their environment variables", () => {
    expect(
      accepted("chat", ["--name", "Ann", "--interests=tea, chess", "--partner-kind", "human", "x:1"]),
    ).toMatchObject({
      name: "Ann",
      interests: ["tea", "chess"],
      partnerKind: "human",
      endpoint: "http://x:1/mcp",
    });
    const env = { MCP_CHAT_NAME: "Bob", MCP_CHAT_ACCESS_TOKEN: "secret", MCP_CHAT_GRACE_SECONDS: "30" };
    expect(accepted("chat", [], env)).toMatchObject({ name: "Bob", accessToken: "secret" });
    expect(accepted("tail", ["--enter", "--kind", "human"])).toMatchObject({ enter: true, kind: "human", json: false });
  });

  test("that belong to the other face, or that are secrets, are refused", () => {
    expect(refused("chat", ["--json"])).toContain("unknown option --json");
    expect(refused("tail", ["--enter", "--plain"])).toContain("unknown option --plain");
    for (const name of ["access-token", "session-token"]) {
      const message = refused("tail", ["--enter", `--${name}=mcpc_${"s".repeat(43)}`]);
      expect(message).toContain(`MCP_CHAT_${name.toUpperCase().replace("-", "_")}`);
      expect(message).not.toContain("sss");
    }
    expect(refused("tail", [], { MCP_CHAT_SESSION_TOKEN: "mcpc_short" })).not.toContain("short");
  });

  test("of tail say whom to follow, once", () => {
    expect(refused("tail", [])).toContain("--enter");
    expect(accepted("tail", ["--token-file", "t"]).tokenFile).toBe("t");
    expect(accepted("tail", ["--code", "tea at five"]).code).toBe("tea at five");
    expect(refused("tail", ["--enter", "--again", "--leave"])).toContain("--again and --leave");
    expect(refused("tail", ["--code", "tea at five", "--again"])).toContain("--again and --code");
  });
});

test("the help of each fits a screen and names every option it takes", () => {
  for (const face of ["chat", "tail"] as const) {
    const lines = describeClientSettings(face).split("\n");
    expect(lines.length).toBeLessThanOrEqual(20);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    for (const [, name = ""] of lines.join("\n").matchAll(/^ {2}--([\w-]+)/gm)) {
      expect(refused(face, [`--${name}=`, `--${name}=`])).not.toContain("unknown option");
    }
  }
});

test("whatever is written, the answer is a config or one printable line", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("--name", "--enter", "--code=", "http://x", "--", "-x"),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), fc.constantFrom<Face>("chat", "tail"), (argv, face) => {
      const parsed = parseClientConfig(face, argv, {}, SERVER_KEYS);
      if (!parsed.ok) expect(parsed.message).toMatch(/^[ -~]+$/);
    }),
  );
});

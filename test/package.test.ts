/**
 * What a stranger gets: the packed package and the built executable, each started from an empty
 * folder, away from the checkout.
 *
 * This file owns the proof that what is shipped is complete. It must never run anything from src/ directly.
 */

import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { buildExecutable, type ProgramOptions, run, startProgram, temporaryFolder } from "./support/program.ts";

/** Packing, installing and compiling take seconds on an idle machine. */
const PREPARE_MS_MAX = 180_000;
const RUN_MS_MAX = 40_000;

const VERSION_LINE = `mcp-chat ${packageJson.version}\n`;

async function succeed(command: readonly string[], cwd?: string): Promise<string> {
  const { code, stdout, stderr } = await run(command, cwd === undefined ? {} : { cwd });
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

/** Starts, is healthy, and ends when told to. */
async function expectToServe(options: ProgramOptions): Promise<void> {
  const program = await startProgram(options);
  expect(program.stdout).toStartWith(`mcp-chat ${packageJson.version} listening on ${program.url}\n`);
  const health = await fetch(`${program.origin}/healthz`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ status: "ok" });
  expect(await program.stop()).toBe(0);
}

describe("the package", () => {
  const folder = temporaryFolder();
  const installed = join(folder, "node_modules", "mcp-chat");
  // The program's first line asks the environment for `bun`.
  const env = { PATH: `${dirname(Bun.which("bun") ?? process.execPath)}:${process.env.PATH ?? ""}` };

  beforeAll(async () => {
    // A machine that has only Bun packs and installs with Bun.
    const npm = Bun.which("npm");
    const packed = temporaryFolder();
    await succeed(
      npm === null
        ? [process.execPath, "pm", "pack", "--destination", packed]
        : [npm, "pack", "--pack-destination", packed],
    );
    const [tarball = "none"] = readdirSync(packed);
    await Bun.write(join(folder, "package.json"), "{}");
    const file = join(packed, tarball);
    const quiet = ["--no-audit", "--no-fund", "--prefer-offline"];
    await succeed(npm === null ? [process.execPath, "add", file] : [npm, "install", ...quiet, file], folder);
  }, PREPARE_MS_MAX);

  test("holds the sources, the licence and the README, and nothing else", () => {
    // Names with a dot are notes of the installer.
    const names = readdirSync(installed).filter((name) => name !== "node_modules" && !name.startsWith("."));
    expect(names.sort()).toEqual(["LICENSE", "README.md", "package.json", "src"]);
  });

  test("brings none of the tools that only development needs", () => {
    const tools = Object.keys(packageJson.devDependencies);
    expect(tools.filter((name) => existsSync(join(folder, "node_modules", name)))).toEqual([]);
  });

  test(
    "says its version to bunx",
    async () => {
      // `--no-install`: what is not in the folder must not come from elsewhere.
      const { code, stdout, stderr } = await run([process.execPath, "x", "--no-install", "mcp-chat", "--version"], {
        cwd: folder,
        env,
      });
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: VERSION_LINE, stderr: "" });
    },
    RUN_MS_MAX,
  );

  test(
    "serves, and ends on SIGTERM",
    async () => {
      // Not through bunx, whose death would leave the program behind.
      const command = [join(folder, "node_modules", ".bin", "mcp-chat")];
      await expectToServe({ kind: { command }, cwd: folder, env });
    },
    RUN_MS_MAX,
  );
});

describe("the executable", () => {
  // Nothing but itself: neither Bun nor a package is to be found from there.
  const env = { PATH: "" };
  let executable = "";

  beforeAll(async () => {
    executable = await buildExecutable();
  }, PREPARE_MS_MAX);

  test(
    "says its version",
    async () => {
      const { code, stdout, stderr } = await run([executable, "--version"], { cwd: temporaryFolder(), env });
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: VERSION_LINE, stderr: "" });
    },
    RUN_MS_MAX,
  );

  test(
    "answers a mistake with one line on stderr and exit code 2",
    async () => {
      const { code, stdout, stderr } = await run([executable, "--bogus"], { cwd: temporaryFolder(), env });
      expect({ code, stdout, stderr }).toEqual({
        code: 2,
        stdout: "",
        stderr: "mcp-chat: unknown option --bogus; see --help\n",
      });
    },
    RUN_MS_MAX,
  );

  test(
    "serves, and ends on SIGTERM",
    async () => {
      await expectToServe({ kind: "executable", cwd: temporaryFolder(), env });
    },
    RUN_MS_MAX,
  );

  test(
    "reads no settings from files that lie in the folder it is started in",
    async () => {
      const folder = temporaryFolder();
      await Bun.write(join(folder, ".env"), "MCP_CHAT_PORT=not-a-port\n");
      await Bun.write(join(folder, "bunfig.toml"), 'preload = ["./missing.ts"]\n');
      await expectToServe({ kind: "executable", cwd: folder, env });
    },
    RUN_MS_MAX,
  );
});

/**
 * A real PostgreSQL server on a port of the machine's own choosing, with a folder of its own, that can be
 * stopped, killed and started again on the same port and folder.
 *
 * This file owns the server's process. It must never leave one running when the test run ends.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { within } from "./client-deadline.ts";
import { freePort } from "./free-port.ts";
import { run, runsUntilTheEnd, temporaryFolder } from "./program.ts";

/** Where a program of PostgreSQL is: Debian keeps them out of the way, by version. */
function programOf(name: string): string {
  const apart = [...new Bun.Glob(`/usr/lib/postgresql/*/bin/${name}`).scanSync({ absolute: true })];
  return Bun.which(name) ?? apart.sort().at(-1) ?? name;
}

const INITDB = programOf("initdb");
const POSTGRES = programOf("postgres");

/** What tests that use this need of the system: for `testWith`. */
export const POSTGRES_PROGRAMS = [INITDB, POSTGRES, "setpriv"] as const;

/** How long the server may take to answer; generous, as a test machine may be busy. */
const START_MS_MAX = 30_000;

const USER = "chat";
/** With what a URL must escape. */
const PASSWORD = "s3cret/of:chat@home";

export class PostgresServer implements AsyncDisposable {
  readonly port = freePort();
  readonly #folder = temporaryFolder();
  #child: Bun.Subprocess | undefined;

  /** Makes one, starts it, and waits until it answers. */
  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer();
    await server.#make();
    await server.restart();
    return server;
  }

  /** Of a database that is there. */
  get url(): string {
    return this.urlFor(PASSWORD);
  }

  get password(): string {
    return PASSWORD;
  }

  /** The same through another port, as through a proxy, or with another password. */
  urlFor(password: string, port = this.port): string {
    return `postgres://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  }

  /** Starts it again on the same port and folder, and waits until it answers. Nothing if it runs. */
  async restart(): Promise<void> {
    if (this.#child !== undefined) return;
    const child = Bun.spawn([...AS_NOBODY_SPECIAL, POSTGRES, "-D", this.#data, ...this.#arguments()], {
      cwd: this.#folder,
      stdin: "ignore",
      stdout: Bun.file(join(this.#folder, "postgres.log")),
      stderr: Bun.file(join(this.#folder, "postgres.log")),
    });
    runsUntilTheEnd(child);
    this.#child = child;
    await within("postgres answers", this.#answers(child), START_MS_MAX);
  }

  /** Ends it at once, as a failing machine would; its children notice and follow. */
  async kill(): Promise<void> {
    await this.#end("SIGQUIT");
  }

  /** Has every connection closed, and ends. */
  async stop(): Promise<void> {
    await this.#end("SIGINT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  #arguments(): readonly string[] {
    const settings = {
      port: String(this.port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      fsync: "off",
      max_connections: "40",
    };
    return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  }

  /** Nobody but the owner of the folder may read it, and the server refuses to run as root. */
  async #make(): Promise<void> {
    const secret = join(this.#folder, "password");
    writeFileSync(secret, PASSWORD);
    chmodSync(this.#folder, 0o755);
    mkdirSync(this.#data, { mode: 0o700 });
    if (AS_NOBODY_SPECIAL.length > 0) await ran(["chown", OWNER, this.#data, secret]);
    const access = ["-A", "scram-sha-256", "-U", USER, "--pwfile", secret];
    await ran([...AS_NOBODY_SPECIAL, INITDB, "-D", this.#data, "-E", "UTF8", "--locale", "C", "--no-sync", ...access]);
  }

  async #answers(child: Bun.Subprocess): Promise<void> {
    for (;;) {
      if (child.exitCode !== null) throw new Error("postgres has ended: see postgres.log in its folder");
      const sql = new Bun.SQL(this.url, { max: 1 });
      try {
        await sql`SELECT 1`;
        return;
      } catch (_notYet) {
        await Bun.sleep(30);
      } finally {
        await sql.close({ timeout: 0 });
      }
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    child.kill(signal);
    await child.exited;
  }
}

/** Whom Debian's package makes for this. */
const OWNER = "postgres";
const AS_NOBODY_SPECIAL: readonly string[] =
  process.getuid?.() === 0 ? ["setpriv", `--reuid=${OWNER}`, `--regid=${OWNER}`, "--clear-groups"] : [];

async function ran(command: readonly string[]): Promise<void> {
  const { code, stderr } = await run(command);
  if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

/**
 * The page over HTTP: what is served, under which policy, and that it is all there.
 *
 * This file owns the answers to requests for the page. What it does in a browser is in the other
 * files of this folder.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { assistants } from "../../src/web/browser/assistants.ts";
import { interestsIn, withLast } from "../../src/web/browser/interests.ts";
import { createPage } from "../../src/web/page.ts";
import { FILES, HTML, MODULES } from "../../src/web/sources.ts";
import { CHECKOUT } from "../support/program.ts";

const page = createPage();

/** The answer to a request; fails if the path is not the page's. */
function get(path: string, init: RequestInit = {}): Response {
  const response = page(new Request(`http://localhost${path}`, init));
  if (response === undefined) throw new Error(`${path} is not served`);
  return response;
}

/** Where the page finds what it refers to: its content is part of the path. */
const BASE = /\/page\/[\w-]{22}\//.exec(await get("/").text())?.[0] ?? "";
const PATHS = ["/", ...[...MODULES.keys(), ...FILES.keys()].map((name) => `${BASE}${name}`)];

describe("the files", () => {
  test("are the ones in the folder, under their names", () => {
    const modules = readdirSync(join(CHECKOUT, "src/web/browser")).filter((name) => name.endsWith(".ts"));
    expect([...MODULES.keys()].sort()).toEqual(modules.sort());
    for (const [path, source] of MODULES) {
      expect(source.startsWith("/**\n"), path).toBe(true);
    }
  });

  test("import nothing that is not served, and name nothing elsewhere", async () => {
    for (const [path, source] of MODULES) {
      const imports = [...source.matchAll(/^import[^"]*"([^"]+)"/gm)].map(([, to]) => to ?? "");
      for (const to of imports) expect(MODULES.has(to.slice(2)), `${path} -> ${to}`).toBe(true);
    }
    for (const text of [HTML, ...[...FILES.values()].map(([, text]) => text)]) {
      expect(text.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|url\(|@import/);
    }
    for (const [, asked = ""] of (await get("/").text()).matchAll(/(?:href|src)="(\/[^"]*)"/g)) {
      expect(PATHS).toContain(asked);
    }
  });

  test("are small: the script is under 60 KiB compressed, the whole page under 64", async () => {
    const sizeOf = async (paths: readonly string[]): Promise<number> => {
      const sizes = paths.map(async (path) => {
        const response = get(path, { headers: { "accept-encoding": "gzip" } });
        return (await response.arrayBuffer()).byteLength;
      });
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    };
    expect(await sizeOf(PATHS.filter((path) => path.endsWith(".ts")))).toBeLessThan(60 * 1024);
    expect(await sizeOf(PATHS)).toBeLessThan(64 * 1024);
  });

  test("hold no markup from strings and no inline code", async () => {
    expect(HTML).not.toMatch(/<script(?![^>]*src=)|<style|\sstyle=|\son\w+=/);
    for (const [path, source] of MODULES) {
      expect(source, path).not.toMatch(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser/,
      );
    }
    expect(await get("/").text()).toContain(`<script type="module" src="${BASE}main.ts"></script>`);
  });
});

describe("answers", () => {
  test.each(PATHS)("%s comes under the policy that lets nothing else in", async (path) => {
    const response = get(path);
    expect(response.status).toBe(200);
    const policy = (response.headers.get("content-security-policy") ?? "").split("; ");
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      expect(policy).toContain(directive);
    }
    expect(policy.join()).not.toContain("unsafe");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect((await response.text()).length).toBeGreaterThan(100);
  });

  test("a module is JavaScript, whatever its name ends in", async () => {
    const response = get(`${BASE}json.ts`);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    const script = await response.text();
    expect(script).toContain("export function isObject(value) {");
    new Bun.Transpiler({ loader: "js" }).scan(script);
  });

  test("what has not changed is not sent again", async () => {
    const etag = get("/").headers.get("etag") ?? "";
    expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
    expect(get("/").headers.get("cache-control")).toBe("no-cache");
    const again = get("/", { headers: { "if-none-match": `"other", ${etag}` } });
    expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
    expect(get("/", { headers: { "if-none-match": '"other"' } }).status).toBe(200);
    const module = get(`${BASE}json.ts`).headers;
    expect(module.get("etag")).not.toBe(etag);
    // Its path is of this version alone.
    expect(module.get("cache-control")).toBe("public, max-age=31536000, immutable");
  });

  test.each([
    ["gzip, deflate, br", "gzip"],
    ["br;q=1.0, gzip;q=0.8", "gzip"],
    ["gzip;q=0", null],
    ["identity", null],
  ])("Accept-Encoding %s: %s", async (accepted, encoding) => {
    const response = get(`${BASE}style.css`, { headers: { "accept-encoding": accepted } });
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toBe("accept-encoding");
    const bytes = new Uint8Array(await response.arrayBuffer());
    const text = new TextDecoder().decode(encoding === null ? bytes : Bun.gunzipSync(bytes));
    expect(text).toBe(FILES.get("style.css")?.[1] ?? "");
  });

  test("only GET and HEAD, and only these paths", () => {
    expect(get("/", { method: "HEAD" }).status).toBe(200);
    const refused = get("/", { method: "POST" });
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    for (const path of [
      "/index.html",
      "/page/json.ts",
      BASE,
      `${BASE}../main.ts`,
      `${BASE}tsconfig.json`,
      "/favicon.ico",
    ]) {
      expect(page(new Request(`http://localhost${path}`))).toBeUndefined();
    }
  });
});

describe("lines for assistants", () => {
  const URL_ = "https://chat.example/mcp";

  test("name the endpoint, and never a token itself", () => {
    for (const needsToken of [false, true]) {
      for (const { text, name } of assistants(URL_, needsToken)) {
        expect(text).toContain(URL_);
        const says = /MCP_CHAT_ACCESS_TOKEN|mcp-chat-token/.test(text);
        expect(says, name).toBe(needsToken && !name.startsWith("Anything"));
      }
    }
  });

  test("are valid JSON where they are JSON", () => {
    const texts = assistants(URL_, true).map(({ text }) => text);
    expect(texts.filter((text) => text.startsWith("{")).map((text) => Object.keys(JSON.parse(text)))).toEqual([
      ["mcpServers"],
      ["inputs", "servers"],
      ["mcpServers"],
    ]);
  });
});

test("interests are taken as typed, separated by commas, ten at most", () => {
  expect(interestsIn(" chess, , gardening ,")).toEqual(["chess", "gardening"]);
  expect(interestsIn("a,b,c,d,e,f,g,h,i,j,k")).toHaveLength(10);
  expect(withLast("chess, gar", "gardening")).toBe("chess, gardening, ");
  expect(withLast("", "chess")).toBe("chess, ");
});

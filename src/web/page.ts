/**
 * The web page over HTTP: a handful of fixed files, made at their first request and kept.
 *
 * This file owns their headers, above all the policy that keeps anything but the page's own files
 * from running in it. It holds no data of anybody: the page talks to the endpoint like any client.
 */
import { sha256 } from "../crypto.ts";
import { FILES, HTML, MAIN, MODULES } from "./sources.ts";

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // Text never becomes markup or code, not even by mistake.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  vary: "accept-encoding",
};

/** For the page itself: asked for again each time, so that an upgrade is seen at once; what is the same costs 304. */
const REVALIDATED = "no-cache";
/** For everything it refers to: the path changes with the content, so that no page gets files of another version. */
const FOR_EVER = "public, max-age=31536000, immutable";

/** A file as it goes out. */
interface Asset {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzipped: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly caching: string;
}

/** Answers requests for the page; undefined for any other path. */
export function createPage(): (request: Request) => Response | undefined {
  const assets = new Map<string, Asset>();
  let base: string | undefined;

  function assetAt(path: string): Asset | undefined {
    const known = assets.get(path);
    if (known !== undefined) return known;
    base ??= `/page/${hashOf([HTML, ...MODULES.values(), ...[...FILES.values()].flat()].join("\0"))}/`;
    const made = makeAsset(path, base);
    if (made !== undefined) assets.set(path, made);
    return made;
  }

  return (request) => {
    const asset = assetAt(new URL(request.url).pathname);
    if (asset === undefined) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") {
      const error = { error: { message: "Only GET and HEAD here." } };
      return Response.json(error, { status: 405, headers: { allow: "GET, HEAD" } });
    }
    return respond(request, asset);
  };
}

function respond(request: Request, { type, plain, gzipped, etag, caching }: Asset): Response {
  const headers: Record<string, string> = { ...HEADERS, etag, "cache-control": caching };
  if (matches(request.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(request.headers.get("accept-encoding") ?? "");
  headers["content-type"] = type;
  if (takesGzip) headers["content-encoding"] = "gzip";
  return new Response(takesGzip ? gzipped : plain, { headers });
}

/** RFC 9110, section 13.1.2: a list of tags, compared weakly. */
function matches(asked: string | null, etag: string): boolean {
  return asked?.split(",").some((one) => one.trim() === etag) === true;
}

/** @param base where the files are, from a hash of all of them */
function makeAsset(path: string, base: string): Asset | undefined {
  if (path === "/") return assetOf("text/html; charset=utf-8", pageWith(base), REVALIDATED);
  if (!path.startsWith(base)) return undefined;
  const name = path.slice(base.length);
  const module = MODULES.get(name);
  if (module !== undefined) return assetOf("text/javascript; charset=utf-8", withoutTypes(module), FOR_EVER);
  const file = FILES.get(name);
  return file === undefined ? undefined : assetOf(...file, FOR_EVER);
}

function assetOf(type: string, text: string, caching: string): Asset {
  const plain = new TextEncoder().encode(text);
  // Weak: the same text is sent in two encodings (RFC 9110, section 8.8.1).
  return { type, plain, gzipped: Bun.gzipSync(plain), etag: `W/"${hashOf(text)}"`, caching };
}

function hashOf(text: string): string {
  return sha256(text).slice(0, 22);
}

/** The modules are named before they are found in each other, so that they come at once and not one after the other. */
function pageWith(base: string): string {
  const links = [...MODULES.keys()].map((name) => `<link rel="modulepreload" href="/page/${name}">`);
  const script = `<script type="module" src="/page/${MAIN}"></script>`;
  return HTML.replace("<!-- modules -->", [...links, script].join("\n    ")).replaceAll("/page/", base);
}

/** TypeScript as the browser takes it. Its syntax is erasable, so nothing else changes. */
function withoutTypes(source: string): string {
  return new Bun.Transpiler({ loader: "ts", target: "browser" }).transformSync(source);
}

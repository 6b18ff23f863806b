/**
 * The operator's surface over HTTP: everything under `/admin`, behind a token of its own.
 *
 * This file owns the way of a request to its route. It must never look at a body before the token has
 * passed, and never tell a browser's page from elsewhere that it may read an answer.
 */
import { readText } from "../http/body.ts";
import { ADMIN_BODY_BYTES_MAX } from "../limits.ts";
import { describeBug } from "../mcp/dispatch.ts";
import { Unavailable } from "../mcp/unavailable.ts";
import {
  type AdminError,
  BODY_TOO_LARGE,
  badInput,
  failed,
  INTERNAL,
  methodNotAllowed,
  NOT_JSON,
  notFound,
  type Outcome,
  respond,
  unavailable,
} from "./answer.ts";
import { Gate } from "./gate.ts";
import { ROUTES, type Route, type Surroundings } from "./routes.ts";

export interface AdminSurfaceOptions extends Surroundings {
  readonly token: string;
}

/** Answers requests under `/admin`; undefined for any other. Host and Origin have passed. */
export type AdminSurface = (request: Request, address: string | undefined) => Promise<Response> | undefined;

const PREFIX = "/admin";
/** Ids as the lobby makes and takes them: no path needs an escape. */
const ID = /^[\w-]{1,128}$/;

export function createAdminSurface(options: AdminSurfaceOptions): AdminSurface {
  const gate = new Gate(options.token, (address) =>
    options.log.warn("a wrong admin token came", address === undefined ? {} : { address }),
  );

  async function serve(request: Request, url: URL, address: string | undefined): Promise<Outcome> {
    const refused = gate.refuse(request.headers.get("authorization"), address, options.now());
    if (refused !== undefined) return failed(refused);
    const found = findRoute(url.pathname);
    if (found === undefined) return failed(notFound("route"));
    const route = found.methods.get(request.method);
    if (route === undefined) return failed(methodNotAllowed([...found.methods.keys()]));
    const body = request.method === "POST" ? await readBody(request) : { ok: true as const, value: {} };
    if (!body.ok) return failed(body.error);
    // What was done at another node a moment ago is to be seen here.
    await options.operator.upToDate();
    return route({ id: found.id, parameters: url.searchParams, body: body.value }, options);
  }

  return (request, address) => {
    const url = new URL(request.url);
    if (url.pathname !== PREFIX && !url.pathname.startsWith(`${PREFIX}/`)) return undefined;
    return serve(request, url, address).then(respond, (bug: unknown) => {
      if (bug instanceof Unavailable) return respond(failed(unavailable(bug.retryAfterMs)));
      options.log.error("a request of the operator failed unexpectedly", describeBug(bug));
      return respond(failed(INTERNAL));
    });
  };
}

interface FoundRoute {
  readonly methods: ReadonlyMap<string, Route>;
  readonly id: string;
}

function findRoute(pathname: string): FoundRoute | undefined {
  const exact = ROUTES.get(pathname);
  if (exact !== undefined) return { methods: exact, id: "" };
  const [, , collection = "", id = "", ...rest] = pathname.split("/");
  const methods = ROUTES.get([PREFIX, collection, ":id", ...rest].join("/"));
  return methods === undefined || !ID.test(id) ? undefined : { methods, id };
}

type ReadBody = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: AdminError };

/** The body as JSON; none at all is an empty object. */
async function readBody(request: Request): Promise<ReadBody> {
  if (Number(request.headers.get("content-length") ?? 0) > ADMIN_BODY_BYTES_MAX) {
    return { ok: false, error: BODY_TOO_LARGE };
  }
  const text = await readText(request.body, ADMIN_BODY_BYTES_MAX);
  if (text === undefined) return { ok: false, error: BODY_TOO_LARGE };
  if (text === "") return { ok: true, value: {} };
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") return { ok: false, error: NOT_JSON };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (_notJson) {
    return { ok: false, error: badInput("The body is not JSON.") };
  }
}

/**
 * The ceiling: the least a server on this runtime can do and still carry the benchmark's chat in both
 * protocol eras. It parses each request, finds the sender, writes to the partner's stream and
 * answers; that is all.
 *
 * This file owns nothing worth keeping: no checks, no bounds, no replay, no clocks, no mailbox. It must
 * never gain a duty, as it would no longer be the ceiling; nor lose one that carries the chat.
 */

type Era = "legacy" | "modern";

interface User {
  readonly key: string;
  readonly era: Era;
  stream: ReadableStreamDirectController | undefined;
  partner: User | undefined;
  events: number;
  /** What came before the stream was open. */
  readonly early: string[];
}

interface Message {
  readonly id?: string | number;
  readonly method: string;
  readonly params?: {
    readonly name?: string;
    readonly arguments?: { readonly message?: string };
    readonly _meta?: object;
  };
}

const JSON_BODY = { headers: { "content-type": "application/json" } };
const EVENT_STREAM = { headers: { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" } };

const users = new Map<string, User>();
let waiting: User | undefined;

function newUser(era: Era): User {
  const user: User = { key: crypto.randomUUID(), era, stream: undefined, partner: undefined, events: 0, early: [] };
  users.set(user.key, user);
  return user;
}

// --- answers ------------------------------------------------------------------------------------

const idText = (id: string | number | undefined): string => (typeof id === "number" ? String(id) : JSON.stringify(id));

const result = ({ id }: Message, json: string): Response =>
  new Response(`{"jsonrpc":"2.0","id":${idText(id)},"result":${json}}`, JSON_BODY);

const toolResult = (message: Message, text: string, more = ""): Response =>
  result(message, `{"content":[{"type":"text","text":${JSON.stringify(text)}}]${more}}`);

const notFound = (): Response => new Response('{"jsonrpc":"2.0","id":null,"error":{"code":-32001}}', { status: 404 });

// --- streams ------------------------------------------------------------------------------------

/** How an event of each era looks on its stream. */
const FRAMES = {
  legacy: (user: User, name: string, data: string): string =>
    `id: ${++user.events}\ndata: {"jsonrpc":"2.0","method":"${name}","params":${data}}\n\n`,
  modern: (user: User, name: string, data: string): string =>
    `data: {"jsonrpc":"2.0","method":"notifications/events/event","params":{"eventId":"${user.key}.${++user.events}",` +
    `"name":"${name}","data":${data},"cursor":"${user.events}"}}\n\n`,
};

function push(user: User, name: string, data: string): void {
  const frame = FRAMES[user.era](user, name, data);
  if (user.stream === undefined) user.early.push(frame);
  else user.stream.write(frame);
}

/** @param first written at once, as the runtime sends the head with the first byte */
function stream(user: User, first: string): Response {
  const body = new ReadableStream({
    type: "direct",
    pull(controller) {
      user.stream = controller;
      controller.write(first + user.early.splice(0).join(""));
    },
    cancel() {
      user.stream = undefined;
    },
  });
  return new Response(body, EVENT_STREAM);
}

// --- the chat -----------------------------------------------------------------------------------

function enterQueue(user: User, message: Message): Response {
  const token = user.era === "modern" ? `,"structuredContent":{"session_token":"${user.key}"}` : "";
  if (waiting === undefined || waiting === user) {
    waiting = user;
    return toolResult(message, "waiting", token);
  }
  const partner = waiting;
  waiting = undefined;
  user.partner = partner;
  partner.partner = user;
  push(partner, "chatroom.found", "{}");
  push(user, "chatroom.found", "{}");
  return toolResult(message, "matched", token);
}

function callTool(user: User, message: Message): Response {
  if (message.params?.name === "enter_queue") return enterQueue(user, message);
  const text = message.params?.arguments?.message;
  if (user.partner === undefined || typeof text !== "string") {
    return toolResult(message, "no partner", ',"isError":true');
  }
  push(user.partner, "message.received", `{"message":${JSON.stringify(text)}}`);
  return toolResult(message, "sent");
}

// --- requests -----------------------------------------------------------------------------------

async function post(request: Request, server: Bun.Server<undefined>): Promise<Response> {
  const { headers } = request;
  const session = headers.get("mcp-session-id");
  const authorization = session === null ? headers.get("authorization") : null;
  const message = (await request.json()) as Message;
  if (session !== null) return postLegacy(users.get(session), message);
  if (message.method === "initialize") return initialize(message);
  if (message.params?._meta === undefined) return notFound();
  return postModern(authorization, message, request, server);
}

function initialize(message: Message): Response {
  const { key } = newUser("legacy");
  const json = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"ceiling","version":"0"}}`;
  const response = result(message, json);
  response.headers.set("mcp-session-id", key);
  return response;
}

function postLegacy(user: User | undefined, message: Message): Response {
  if (user === undefined) return notFound();
  if (message.method === "tools/call") return callTool(user, message);
  return message.id === undefined ? new Response(null, { status: 202 }) : result(message, "{}");
}

function postModern(
  authorization: string | null,
  message: Message,
  request: Request,
  server: Bun.Server<undefined>,
): Response {
  const known = authorization === null ? undefined : users.get(authorization.slice("Bearer ".length));
  if (message.method === "tools/call") return callTool(known ?? newUser("modern"), message);
  if (known === undefined) return notFound();
  server.timeout(request, 0);
  const first = `data: {"jsonrpc":"2.0","method":"notifications/events/active","params":{"cursor":"0","truncated":false}}\n\n`;
  return stream(known, first);
}

function get(request: Request, server: Bun.Server<undefined>): Response {
  const user = users.get(request.headers.get("mcp-session-id") ?? "");
  if (user === undefined) return notFound();
  server.timeout(request, 0);
  return stream(user, ":\n\n");
}

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  routes: { "/mcp": { POST: post, GET: get }, "/healthz": () => new Response("{}", JSON_BODY) },
});
process.stdout.write(`ceiling listening on ${server.url}mcp\n`);

/** Who is let in, and what browsers are told: the cells that need a server with settings. */

import { afterAll } from "bun:test";
import { type Sheet, testSheet } from "../support/http-cells.ts";
import { openSession, request, startServer } from "../support/http-fixture.ts";

const server = startServer();
const guarded = startServer({
  accessToken: "open-sesame",
  isLiveUserToken: (token) => token === "mcpc_live",
  allowedHosts: ["chat.example.org", "10.0.0.5:8000"],
  allowedOrigins: ["https://page.example.org"],
});
afterAll(() => Promise.all([server.http.stop(), guarded.http.stop()]));

const session = await openSession(server.mcp);
const PING = request("p", "ping");

const SHEET: Sheet = {
  "403": [
    {
      name: "a known Host with another port",
      url: guarded.mcp,
      body: PING,
      headers: { host: "10.0.0.5:9" },
      status: 403,
      code: -32000,
    },
  ],
  "401": [
    {
      name: "no token",
      url: guarded.mcp,
      body: PING,
      status: 401,
      code: -32000,
      answers: { "www-authenticate": "Bearer" },
    },
    {
      name: "no token, where nothing is",
      url: `${guarded.http.url}/nowhere`,
      body: PING,
      status: 401,
      code: -32000,
      answers: { "www-authenticate": "Bearer" },
    },
    {
      name: "another token",
      url: guarded.mcp,
      body: PING,
      headers: { authorization: "Bearer open-sesam" },
      status: 401,
      code: -32000,
      answers: { "www-authenticate": 'Bearer error="invalid_token"' },
    },
    {
      name: "the token twice",
      url: guarded.mcp,
      body: PING,
      headers: { authorization: "Bearer open-sesame, Bearer open-sesame" },
      status: 401,
      code: -32000,
    },
    {
      name: "another scheme",
      url: guarded.mcp,
      body: PING,
      headers: { authorization: "Basic open-sesame" },
      status: 401,
      code: -32000,
    },
    {
      name: "a user's token that is dead",
      url: guarded.mcp,
      body: PING,
      headers: { authorization: "Bearer mcpc_dead" },
      status: 401,
      code: -32000,
    },
    { name: "GET", method: "GET", url: guarded.mcp, status: 401, code: -32000 },
    { name: "DELETE", method: "DELETE", url: guarded.mcp, status: 401, code: -32000 },
    {
      name: "a token, then no session",
      url: guarded.mcp,
      body: PING,
      headers: { authorization: "bearer open-sesame" },
      status: 400,
      code: -32000,
      id: "p",
    },
    {
      name: "a live user's token",
      url: guarded.mcp,
      body: PING,
      headers: { authorization: "Bearer mcpc_live" },
      status: 400,
      code: -32000,
      id: "p",
    },
    {
      name: "Host comes before the token",
      url: guarded.mcp,
      body: PING,
      headers: { host: "evil.example" },
      status: 403,
      code: -32000,
    },
    {
      name: "the token comes before everything about the body",
      url: guarded.mcp,
      body: "x",
      headers: { accept: "image/png", "content-type": "text/plain" },
      status: 401,
      code: -32000,
    },
    { name: "healthz needs none", method: "GET", url: `${guarded.http.url}/healthz`, status: 200 },
    { name: "OPTIONS needs none", method: "OPTIONS", url: guarded.mcp, status: 204, empty: true },
    {
      name: "a configured Host",
      url: guarded.mcp,
      body: PING,
      headers: { host: "Chat.Example.Org:443" },
      status: 401,
      code: -32000,
    },
    {
      name: "a configured Host and port",
      url: guarded.mcp,
      body: PING,
      headers: { host: "10.0.0.5:8000" },
      status: 401,
      code: -32000,
    },
  ],
  CORS: [
    {
      name: "preflight",
      method: "OPTIONS",
      headers: { origin: "http://localhost:6274", "access-control-request-method": "POST" },
      status: 204,
      empty: true,
      answers: {
        "access-control-allow-origin": "http://localhost:6274",
        "access-control-allow-methods": "POST, GET, DELETE",
        "access-control-allow-headers":
          "content-type, accept, authorization, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name, last-event-id",
        vary: "origin",
      },
    },
    {
      name: "an answer to a page",
      body: PING,
      headers: { ...session, origin: "http://127.0.0.1:3000" },
      status: 200,
      id: "p",
      answers: {
        "access-control-allow-origin": "http://127.0.0.1:3000",
        "access-control-expose-headers": "mcp-session-id, www-authenticate",
        vary: "origin",
      },
    },
    {
      name: "a refusal to a page",
      body: "{",
      headers: { ...session, origin: "https://[::1]:1" },
      status: 400,
      code: -32700,
      answers: { "access-control-allow-origin": "https://[::1]:1" },
    },
    {
      name: "no page, no fields",
      body: PING,
      headers: session,
      status: 200,
      id: "p",
      answers: { "access-control-allow-origin": null, vary: null },
    },
    {
      name: "a configured page",
      url: guarded.mcp,
      body: PING,
      headers: { origin: "https://page.example.org" },
      status: 401,
      code: -32000,
      answers: { "access-control-allow-origin": "https://page.example.org" },
    },
  ],
};

testSheet(SHEET, server.mcp);

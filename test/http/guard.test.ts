/** The guard and the readers of single headers: who is let in, decided from the head alone. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readAccept } from "../../src/http/accept.ts";
import { bearerOf, Guard, type GuardOptions, refusePostHead } from "../../src/http/guard.ts";
import { BODY_BYTES_MAX } from "../../src/limits.ts";

// The same runs every time: a test that fails once in a hundred tells nobody why.
fc.configureGlobal({ seed: 1 });

function guard(options: Partial<GuardOptions> = {}): Guard {
  return new Guard({
    host: "127.0.0.1",
    allowedHosts: [],
    allowedOrigins: [],
    accessToken: undefined,
    isLiveUserToken: () => false,
    ...options,
  });
}

describe("Host", () => {
  const cells: [host: string | null, options: Partial<GuardOptions>, allowed: boolean][] = [
    ["localhost", {}, true],
    ["LocalHost:8000", {}, true],
    ["127.0.0.1:1", {}, true],
    ["[::1]", {}, true],
    ["[::1]:8000", {}, true],
    [null, {}, false],
    ["", {}, false],
    ["::1", {}, false],
    ["localhost:", {}, true],
    ["localhost:80x", {}, false],
    ["localhost.", {}, false],
    ["127.0.0.1.evil.example", {}, false],
    ["evil.example:127.0.0.1", {}, false],
    ["chat.lan:8000", { host: "chat.lan" }, true],
    ["[fd00::5]:8000", { host: "fd00::5" }, true],
    ["0.0.0.0:8000", { host: "0.0.0.0" }, false],
    ["[::]:8000", { host: "::" }, false],
    ["chat.example.org:443", { allowedHosts: ["chat.example.org"] }, true],
    ["chat.example.org:443", { allowedHosts: ["chat.example.org:8443"] }, false],
    ["chat.example.org:8443", { allowedHosts: ["chat.example.org:8443"] }, true],
  ];
  test.each(cells)("%j with %j: %p", (host, options, allowed) => {
    expect(guard(options).refuseHost(host) === undefined).toBe(allowed);
  });

  test("one let through before does not let others through", () => {
    const one = guard();
    expect(one.refuseHost("localhost:1")).toBeUndefined();
    expect(one.refuseHost("evil.example")).toBeDefined();
    expect(one.refuseHost(null)).toBeDefined();
    expect(one.refuseHost("localhost:1")).toBeUndefined();
  });
});

describe("Origin", () => {
  const cells: [origin: string | null, options: Partial<GuardOptions>, allowed: boolean][] = [
    [null, {}, true],
    ["null", {}, false],
    ["", {}, false],
    ["http://localhost:5173", {}, true],
    ["https://127.0.0.1", {}, true],
    ["http://[::1]:9", {}, true],
    ["ftp://localhost", {}, false],
    ["file://", {}, false],
    ["http://localhost/", {}, false],
    ["http://localhost@evil.example", {}, false],
    ["http://localhost#@evil.example", {}, false],
    ["http://evil.example, http://localhost", {}, false],
    ["chrome-extension://localhost", {}, false],
    ["https://chat.example.org", { allowedHosts: ["chat.example.org"] }, true],
    ["https://page.example.org", { allowedOrigins: ["https://page.example.org"] }, true],
    ["http://page.example.org", { allowedOrigins: ["https://page.example.org"] }, false],
  ];
  test.each(cells)("%j with %j: %p", (origin, options, allowed) => {
    expect(guard(options).refuseOrigin(origin) === undefined).toBe(allowed);
  });

  test("no arbitrary text gets in", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (origin) => guard().refuseOrigin(origin) !== undefined));
    fc.assert(fc.property(fc.webUrl(), (url) => guard().refuseOrigin(new URL(url).origin) !== undefined));
  });
});

describe("the access token", () => {
  const locked = guard({ accessToken: "secret", isLiveUserToken: (token) => token === "mcpc_live" });
  /** What it says at once. */
  const statusFor = (token: string | undefined): number | undefined => {
    const refused = locked.refuseCredential(token);
    return refused instanceof Promise ? 0 : refused?.status;
  };
  test("opens, and so does a live user's token; nothing else does", () => {
    expect(locked.refuseCredential("secret")).toBeUndefined();
    expect(locked.refuseCredential("mcpc_live")).toBeUndefined();
    expect(statusFor(undefined)).toBe(401);
    fc.assert(fc.property(fc.string(), (token) => statusFor(token) === 401));
  });
  test("is not asked for where none is set", () => {
    expect(guard().refuseCredential(undefined)).toBeUndefined();
    expect(guard().refuseCredential("anything")).toBeUndefined();
  });
  const credentials: [header: string | null, credential: string | undefined][] = [
    [null, undefined],
    ["Bearer abc", "abc"],
    ["bearer   a-b.c_d~e+f/g==", "a-b.c_d~e+f/g=="],
    ["Bearer", undefined],
    ["Bearer ", undefined],
    ["Bearerabc", undefined],
    ["Bearer a b", undefined],
    ["Bearer a, Bearer b", undefined],
    ["Basic abc", undefined],
  ];
  test.each(credentials)("%j carries %j", (header, credential) => {
    expect(bearerOf(header)).toBe(credential);
  });
});

describe("Accept", () => {
  const cells: [header: string | null, json: boolean, eventStream: boolean][] = [
    [null, true, true],
    ["application/json, text/event-stream", true, true],
    ["text/event-stream,application/json", true, true],
    ["APPLICATION/JSON", true, false],
    ["*/*", true, true],
    ["text/*", false, true],
    ["application/*", true, false],
    ["text/html", false, false],
    ["", false, false],
    ["application/json;q=0, */*", false, true],
    ["*/*;q=0, text/event-stream", false, true],
    ["text/*;q=0, text/event-stream;q=0.1", false, true],
    ["text/event-stream;q=0.000", false, false],
    ["application/json;charset=utf-8;q=0.5", true, false],
    ["application/json; Q=0", false, false],
    ["application/json;q=nonsense", true, false],
    [" , ,application/json, ", true, false],
  ];
  test.each(cells)("%j", (header, json, eventStream) => {
    expect(readAccept(header)).toEqual({ json, eventStream });
  });
  test("any text can be read", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (header) => typeof readAccept(header).json === "boolean"));
  });
});

describe("the head of a POST", () => {
  const head = (type: string | null, length: string | null) => ({
    get: (name: string) => (name === "content-type" ? type : length),
  });
  const cells: [type: string | null, length: string | null, status: number | undefined][] = [
    ["application/json", "10", undefined],
    ["application/json", null, undefined],
    ["application/json;charset=utf-8", "10", undefined],
    [" Application/Json ; x=y", "10", undefined],
    ["application/jsonp", "10", 415],
    ["text/plain", "10", 415],
    [null, "10", 415],
    [null, String(BODY_BYTES_MAX + 1), 415],
    ["application/json", String(BODY_BYTES_MAX), undefined],
    ["application/json", String(BODY_BYTES_MAX + 1), 413],
    ["application/json", "1e99", 413],
  ];
  test.each(cells)("type %j, length %j", (type, length, status) => {
    expect(refusePostHead(head(type, length))?.status).toBe(status);
  });
});

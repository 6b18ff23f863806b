/** Where a request came from, and what one address may do: the reader alone, then a real server. */

import { afterAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import fc from "fast-check";
import { type AddressOptions, createAddressReader } from "../../src/http/address.ts";
import { AddressLimits } from "../../src/http/address-limits.ts";
import { decodeText } from "../../src/mcp/jsonrpc.ts";
import { startServer } from "../support/http-fixture.ts";

fc.configureGlobal({ seed: 1 });

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};

/** What is read of a request from that peer. */
function addressOf(options: Partial<AddressOptions>, peer: string | null, forwarded?: string): string | undefined {
  const read = createAddressReader({ host: "0.0.0.0", ...options });
  const headers: Record<string, string> = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  const request = new Request("http://chat.example.org/mcp", { headers });
  return read?.(request, { requestIP: () => (peer === null ? null : { address: peer }) });
}

describe("the peer", () => {
  test("counts unless it is this machine", () => {
    expect(addressOf({}, "203.0.113.9")).toBe("203.0.113.9");
    expect(addressOf({}, "::ffff:203.0.113.9")).toBe("203.0.113.9");
    expect(addressOf({}, "2001:db8:1:2:3::4")).toBe("2001:db8:1:2::/64");
    expect(addressOf({}, "127.0.0.1")).toBeUndefined();
    expect(addressOf({}, "::1")).toBeUndefined();
    expect(addressOf({}, null)).toBeUndefined();
  });

  test("is not believed when it speaks for others", () => {
    expect(addressOf({}, "203.0.113.9", "198.51.100.1")).toBe("203.0.113.9");
    expect(addressOf({}, "127.0.0.1", "198.51.100.1")).toBeUndefined();
    expect(addressOf({ trustedProxies: ["10.0.0.0/8"] }, "203.0.113.9", "198.51.100.1")).toBe("203.0.113.9");
  });

  test("costs nothing where nobody can have an address", () => {
    for (const host of ["127.0.0.1", "localhost", "::1", "127.8.9.1"]) {
      expect(createAddressReader({ host, trustedProxies: [] })).toBeUndefined();
      expect(createAddressReader({ host, trustedProxies: ["127.0.0.1"] })).toBeDefined();
    }
    expect(createAddressReader({ host: "0.0.0.0", trustedProxies: [] })).toBeDefined();
    expect(createAddressReader({ host: "chat.example.org" })).toBeDefined();
  });
});

describe("a trusted proxy", () => {
  const trustedProxies = ["127.0.0.1", "::1", "10.0.0.0/8"];
  const cells: [forwarded: string | undefined, address: string | undefined][] = [
    ["198.51.100.1", "198.51.100.1"],
    ["198.51.100.1:4711", "198.51.100.1"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["[2001:db8:1:2::9]", "2001:db8:1:2::/64"],
    ["[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"],
    ["::ffff:198.51.100.1", "198.51.100.1"],
    // Whatever the client wrote itself stands left of what the proxy saw.
    ["203.0.113.66, 198.51.100.1", "198.51.100.1"],
    ["garbage, 127.0.0.1, 198.51.100.1", "198.51.100.1"],
    // A chain of proxies.
    ["203.0.113.66, 198.51.100.1, 10.0.0.7, 10.1.2.3", "198.51.100.1"],
    ["198.51.100.1 ,\t10.0.0.7:80", "198.51.100.1"],
    ["198.51.100.1,,10.0.0.7,", "198.51.100.1"],
    // What no proxy vouches for is no address.
    [undefined, undefined],
    ["", undefined],
    [" , ", undefined],
    ["10.0.0.7", undefined],
    ["10.0.0.7, 127.0.0.1", undefined],
    ["198.51.100.1, unknown", undefined],
    ["198.51.100.1, unknown, 10.0.0.7", undefined],
    ["198.51.100.1, 198.51.100.2:x", undefined],
    ["[198.51.100.1", undefined],
    ["127.8.8.8", undefined],
  ];
  test.each(cells)("says %j: %j", (forwarded, address) => {
    expect(addressOf({ trustedProxies }, "127.0.0.1", forwarded)).toBe(address);
    expect(addressOf({ trustedProxies }, "::ffff:10.9.9.9", forwarded)).toBe(address);
  });

  test("cannot be made to look further than its bound", () => {
    const hops = (count: number): string => `198.51.100.1${", 10.0.0.7".repeat(count)}`;
    expect(addressOf({ trustedProxies }, "127.0.0.1", hops(31))).toBe("198.51.100.1");
    expect(addressOf({ trustedProxies }, "127.0.0.1", hops(32))).toBeUndefined();
  });

  test("is heard anew each time, whatever it has said before", () => {
    const read = createAddressReader({ host: "0.0.0.0", trustedProxies });
    const from = (peer: string, forwarded: string): string | undefined => {
      const request = new Request("http://chat.example.org/mcp", { headers: { "x-forwarded-for": forwarded } });
      return read?.(request, { requestIP: () => ({ address: peer }) });
    };
    for (let round = 0; round < 2; round++) {
      expect(from("127.0.0.1", "198.51.100.1")).toBe("198.51.100.1");
      expect(from("127.0.0.1", "198.51.100.2")).toBe("198.51.100.2");
      expect(from("203.0.113.9", "198.51.100.1")).toBe("203.0.113.9");
      expect(from("127.0.0.1", "unknown")).toBeUndefined();
      expect(from("127.0.0.1", `${"10.0.0.7, ".repeat(20)}198.51.100.${round}`)).toBe(`198.51.100.${round}`);
    }
  });

  test("whatever stands left of the first untrusted address changes nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (forged) => {
        const forwarded = `${forged.replaceAll(/[^ -~]/g, "")},198.51.100.1, 10.0.0.7`;
        expect(addressOf({ trustedProxies }, "127.0.0.1", forwarded)).toBe("198.51.100.1");
      }),
    );
  });
});

describe("limits of an address", () => {
  const initialize = decodeText(JSON.stringify(INITIALIZE));
  const ping = decodeText('{"jsonrpc":"2.0","id":1,"method":"ping"}');

  test("so many sessions at once, then so many a minute, each address for itself", () => {
    let now = 0;
    const limits = new AddressLimits({ sessionsPerMinute: 60, sessionsBurst: 2, streams: 0 }, () => now);
    const status = (address: string | undefined) => limits.refuseMessage(initialize, address)?.status;
    expect([status("a"), status("a"), status("a"), status("b")]).toEqual([undefined, undefined, 429, undefined]);
    expect(limits.refuseMessage(initialize, "a")?.headers).toEqual({ "retry-after": "1" });
    expect(limits.refuseMessage(ping, "a")).toBeUndefined();
    expect([1, 2, 3].map(() => status(undefined))).toEqual([undefined, undefined, undefined]);
    now = 1000;
    expect([status("a"), status("a")]).toEqual([undefined, 429]);
  });

  test("so many streams at once; one that closes makes room", () => {
    const limits = new AddressLimits({ sessionsPerMinute: 0, sessionsBurst: 1, streams: 2 }, () => 0);
    const first = limits.streamOpened("a");
    const second = limits.streamOpened("a");
    expect([limits.isFullOfStreams("a"), limits.isFullOfStreams("b"), limits.isFullOfStreams(undefined)]).toEqual([
      true,
      false,
      false,
    ]);
    first?.();
    expect(limits.isFullOfStreams("a")).toBe(false);
    second?.();
    expect(limits.isFullOfStreams("a")).toBe(false);
    expect(limits.streamOpened(undefined)).toBeUndefined();
  });

  test("without limits nothing is counted", () => {
    const limits = new AddressLimits(undefined, () => 0);
    expect(limits.streamOpened("a")).toBeUndefined();
    for (let i = 0; i < 1000; i++) expect(limits.refuseMessage(initialize, "a")).toBeUndefined();
    expect(limits.isFullOfStreams("a")).toBe(false);
  });
});

describe("a server behind a proxy", () => {
  const server = startServer({
    trustedProxies: ["127.0.0.1"],
    perAddress: { sessionsPerMinute: 1, sessionsBurst: 2, streams: 1 },
    fallback: (_request, address) => Response.json({ address: address ?? null }),
  });
  afterAll(() => server.http.stop());

  function initialize(forwarded: string): Promise<Response> {
    return fetch(server.mcp, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": forwarded },
      body: JSON.stringify(INITIALIZE),
    });
  }

  test("limits sessions by the address the proxy saw, whatever the client claims", async () => {
    for (const claimed of ["1.1.1.1", "2.2.2.2"]) {
      expect((await initialize(`${claimed}, 198.51.100.1`)).status).toBe(200);
    }
    const refused = await initialize("3.3.3.3, 198.51.100.1");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("content-type")).toBe("application/json");
    expect(await refused.json()).toMatchObject({ jsonrpc: "2.0", error: { code: -32000 } });
    expect((await initialize("198.51.100.2")).status).toBe(200);
  });

  test("takes all addresses of one IPv6 network for one", async () => {
    const statuses: number[] = [];
    for (const host of [":1", ":2:3", "4:5:6:7"]) statuses.push((await initialize(`2001:db8:9:9:${host}`)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await initialize("2001:db8:9:a::1")).status).toBe(200);
  });

  test("limits open streams, and a closed one makes room", async () => {
    const headers = { "x-forwarded-for": "198.51.100.9", accept: "text/event-stream" };
    const session = (await initialize("198.51.100.9")).headers.get("mcp-session-id") ?? "";
    const open = (from: string): Promise<Response> =>
      fetch(server.mcp, { headers: { ...headers, "x-forwarded-for": from, "mcp-session-id": session } });
    const first = await open("198.51.100.9");
    expect(first.status).toBe(200);
    const second = await open("198.51.100.9");
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBe("5");
    const elsewhere = await open("198.51.100.10");
    expect(elsewhere.status).toBe(200);
    await Promise.all([first.body?.cancel(), elsewhere.body?.cancel()]);
    let again = await open("198.51.100.9");
    for (let tries = 0; again.status === 429 && tries < 500; tries++) again = await open("198.51.100.9");
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  test("reads several headers as one list", async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(server.http.port, "127.0.0.1", () =>
        socket.write(
          "GET /elsewhere HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 198.51.100.7\r\n" +
            "x-forwarded-for: 127.0.0.1\r\nConnection: close\r\n\r\n",
        ),
      );
      let text = "";
      socket.on("data", (piece) => {
        text += piece;
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
    expect(answer).toEndWith('{"address":"198.51.100.7"}');
  });
});

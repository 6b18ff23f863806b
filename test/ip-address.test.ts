/** Addresses as text: what is one, which lie in a range, and by which key people are told apart. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  isInRange,
  isLoopbackAddress,
  keyOfAddress,
  parseAddress,
  parseAddressKey,
  parseRange,
} from "../src/ip-address.ts";

fc.configureGlobal({ seed: 1 });

/** The key of an address that must be one. */
function keyOf(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return keyOfAddress(address);
}

describe("addresses", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["0.0.0.0", "0.0.0.0"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8::/64"],
    ["2001:db8:0:1::9", "2001:db8:0:1::/64"],
    ["::1", "::/64"],
    ["::", "::/64"],
    ["0:0:0:1::", "0:0:0:1::/64"],
    ["fe80::1%eth0", "fe80::/64"],
    ["64:ff9b::192.0.2.1", "64:ff9b::/64"],
    ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
  ])("%s is told apart as %s", (text, key) => {
    expect(keyOf(text)).toBe(key);
    expect(parseAddressKey(text)).toBe(key);
    expect(parseAddressKey(key)).toBe(key);
  });

  test.each([
    "",
    " ",
    "localhost",
    "192.0.2",
    "192.0.2.1.2",
    "192.0.2.256",
    "192.0.2.01",
    "192.0.2.+1",
    "192.0.2.1 ",
    "0x7f.0.0.1",
    "2130706433",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::",
    "::192.0.2",
    "::192.0.2.1:1",
    "192.0.2.1::",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "[::1]",
    "unknown",
  ])("%j is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test("whatever is written, reading it never throws, and what the URL Standard reads is read alike", () => {
    const part = fc.constantFrom("1", "255", "0", "ffff", "abc", ".", ":", "::", "%", "/", "01", "256");
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(part, { maxLength: 20 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (written) => {
        const address = parseAddress(written);
        parseRange(written);
        // The runtime's URL parser lets a colon at the end pass.
        if (written.includes(":") && /^[\da-f:.]*[\da-f.:]{2}$/.test(written) && !/[^:]:$/.test(written)) {
          expect(address !== undefined).toBe(URL.canParse(`http://[${written}]/`));
        }
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV4(), (v6, v4) => {
        expect(parseAddress(v6)).toBeDefined();
        expect(keyOf(v4)).toBe(v4);
        expect(keyOf(`::ffff:${v4}`)).toBe(v4);
      }),
    );
  });

  test("an address that stands for a whole range names nobody", () => {
    expect(parseAddressKey("2001:db8::/64")).toBe("2001:db8::/64");
    expect(parseAddressKey("192.0.2.1/32")).toBe("192.0.2.1");
    for (const text of ["192.0.2.0/24", "2001:db8::/32", "2001:db8::1/128", "::ffff:192.0.2.1/120", "nobody"]) {
      expect(parseAddressKey(text)).toBeUndefined();
    }
  });
});

describe("ranges", () => {
  const cells: [range: string, address: string, inside: boolean][] = [
    ["10.0.0.0/8", "10.255.1.2", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.1.1.1", true],
    ["10.1.2.3/8", "10.9.9.9", true],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["192.0.2.128/25", "192.0.2.128", true],
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "203.0.113.9", true],
    ["fd00::/8", "fdff::1", true],
    ["fd00::/8", "fc00::1", false],
    ["2001:db8::/33", "2001:db8:7fff::", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["::1", "::1", true],
    ["::1", "::2", false],
  ];
  test.each(cells)("%s has %s: %p", (written, text, inside) => {
    const range = parseRange(written);
    const address = parseAddress(text);
    if (range === undefined || address === undefined) throw new Error("unreadable");
    expect(isInRange(range, address)).toBe(inside);
  });

  test.each([
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "::/129",
    "::/08",
    "/8",
    "a/8",
    "10.0.0.0/8.5",
  ])("%j is none", (text) => {
    expect(parseRange(text)).toBeUndefined();
  });

  test.each([
    ["127.0.0.1", true],
    ["127.9.9.9", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["::", false],
    ["128.0.0.1", false],
    ["2001:db8::1", false],
  ])("%s is this machine's own: %p", (text, own) => {
    expect(isLoopbackAddress(parseAddress(text) ?? [])).toBe(own);
  });
});

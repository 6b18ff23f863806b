import { expect, test } from "bun:test";
import { addTo, removeFrom } from "../../src/chat/list-map.ts";

test("keeps what was added in its order, and no empty list", () => {
  const lists = new Map<string, readonly number[]>();
  addTo(lists, "a", 1);
  addTo(lists, "a", 2);
  addTo(lists, "b", 3);
  expect([...lists]).toEqual([
    ["a", [1, 2]],
    ["b", [3]],
  ]);
  removeFrom(lists, "a", 1);
  removeFrom(lists, "b", 3);
  removeFrom(lists, "c", 4);
  expect([...lists]).toEqual([["a", [2]]]);
});

test("who walks a list may change the map meanwhile", () => {
  const lists = new Map<string, readonly number[]>();
  for (const value of [1, 2, 3]) addTo(lists, "a", value);
  const seen: number[] = [];
  for (const value of lists.get("a") ?? []) {
    seen.push(value);
    removeFrom(lists, "a", value);
    addTo(lists, "a", value + 10);
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(lists.get("a")).toEqual([11, 12, 13]);
});

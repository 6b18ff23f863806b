/**
 * Short lists by key, in which no empty list is kept. Nearly every key has one entry, and a list of one
 * takes a tenth of a set's memory.
 *
 * This file owns the two ways to change such a map. Lists are replaced and never changed, so that
 * whoever walks one may add and remove meanwhile. It must never know what the lists hold.
 */

export function addTo<K, V>(lists: Map<K, readonly V[]>, key: K, value: V): void {
  const list = lists.get(key);
  lists.set(key, list === undefined ? [value] : [...list, value]);
}

export function removeFrom<K, V>(lists: Map<K, readonly V[]>, key: K, value: V): void {
  const rest = lists.get(key)?.filter((other) => other !== value);
  if (rest === undefined) return;
  if (rest.length === 0) lists.delete(key);
  else lists.set(key, rest);
}

/**
 * Where a history is: a file of SQLite, or a database of PostgreSQL.
 *
 * This file owns how such a place is written and how it may be named to people: never with its password.
 */

export type HistoryPlace =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string };

/** The place as it may stand in a message. */
export function nameOf(place: HistoryPlace): string {
  if (place.kind === "sqlite") return place.path;
  const url = URL.parse(place.url);
  return url === null ? "PostgreSQL" : `PostgreSQL at ${url.hostname}:${url.port === "" ? "5432" : url.port}`;
}

/** The database a URL names; undefined if it names none. */
export function databaseOf(url: URL): string | undefined {
  const name = url.pathname.slice(1);
  try {
    return name === "" ? undefined : decodeURIComponent(name);
  } catch (_malformed) {
    return undefined;
  }
}

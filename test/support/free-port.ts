/**
 * Ports for programs of others that are told where to listen; ours choose for themselves.
 *
 * This file owns that choice. It must never hold a port: somebody else may take it before it is used.
 */

/** Ports that the system hands out to nobody by itself, so that one is still free after a restart. */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;

/** A port that nobody uses at this moment. */
export function freePort(): number {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN));
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => undefined } }).stop(true);
      return port;
    } catch (_taken) {
      // Then another one.
    }
  }
}

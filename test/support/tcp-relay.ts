/**
 * A network that fails on command: a TCP relay in front of a server.
 *
 * This file owns the relay's sockets. It must never look at what passes through.
 */

import type { Socket, TCPSocketListener } from "bun";

interface Ends {
  /** What could not be written to this socket yet, oldest first. */
  waiting: Uint8Array[];
  other: Socket<Ends> | undefined;
  readonly isServer: boolean;
}

export class TcpRelay {
  readonly #target: number;
  #listener: TCPSocketListener<Ends> | undefined;
  readonly #sockets = new Set<Socket<Ends>>();
  readonly port: number;
  #muffled = false;

  /** @param target port on the loopback address to which everything goes */
  constructor(target: number) {
    this.#target = target;
    this.#listener = this.#listen(0);
    this.port = this.#listener.port;
  }

  /** Connections now open, both directions of one counted once. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Passes on what goes to the server, and drops what comes back, until the next cut. */
  muffle(): void {
    this.#muffled = true;
  }

  /** Breaks every connection; new ones are accepted. */
  cut(): void {
    this.#muffled = false;
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Breaks every connection and refuses new ones. */
  down(): void {
    this.#listener?.stop(true);
    this.#listener = undefined;
    this.cut();
  }

  /** Accepts connections again, on the same port. */
  up(): void {
    this.#listener ??= this.#listen(this.port);
  }

  #listen(port: number): TCPSocketListener<Ends> {
    return Bun.listen<Ends>({
      hostname: "127.0.0.1",
      port,
      socket: {
        ...this.#handlers,
        open: (socket) => {
          socket.data = { waiting: [], other: undefined, isServer: false };
          this.#sockets.add(socket);
          this.#connect(socket).catch(() => socket.terminate());
        },
      },
    });
  }

  async #connect(near: Socket<Ends>): Promise<void> {
    const far = await Bun.connect<Ends>({
      hostname: "127.0.0.1",
      port: this.#target,
      data: { waiting: [], other: near, isServer: true },
      socket: this.#handlers,
    });
    this.#sockets.add(far);
    near.data.other = far;
    far.data.waiting.unshift(...near.data.waiting.splice(0));
    drain(far);
    // The near side may have gone meanwhile.
    if (!this.#sockets.has(near)) far.terminate();
  }

  readonly #handlers = {
    data: (socket: Socket<Ends>, bytes: Uint8Array): void => {
      const { other, isServer } = socket.data;
      if (isServer && this.#muffled) return;
      // Until the far side is there, what came is kept by the near one.
      (other ?? socket).data.waiting.push(bytes.slice());
      if (other !== undefined) drain(other);
    },
    drain,
    close: (socket: Socket<Ends>): void => {
      this.#sockets.delete(socket);
      socket.data.other?.end();
    },
    error(socket: Socket<Ends>): void {
      socket.terminate();
    },
  };
}

function drain(socket: Socket<Ends>): void {
  const { waiting } = socket.data;
  for (let piece = waiting[0]; piece !== undefined; piece = waiting[0]) {
    const written = socket.write(piece);
    if (written < piece.length) {
      waiting[0] = piece.subarray(Math.max(0, written));
      return;
    }
    waiting.shift();
  }
}

/**
 * A network that fails on command: a TCP relay in front of a server.
 *
 * This file owns the relay's sockets. It must never change what passes, and looks at it only to know which
 * connections carry an event stream.
 */

import type { Socket, TCPSocketListener } from "bun";

/** One end of a connection through the relay. */
interface End {
  readonly isServer: boolean;
  other: Socket<End> | undefined;
  /** What could not be written to this socket yet, oldest first. */
  waiting: Uint8Array[];
  /** Closed by the other side: so is this one, once everything is written. */
  isLast: boolean;
  carriesStream: boolean;
  /** Nothing passes any more, and nobody is told. */
  isMute: boolean;
  /** What is to be written waits until it is delivered. */
  isHeld: boolean;
}

/** Where everything goes: a port of this machine, or whichever it is when somebody connects; undefined = there is none. */
export type RelayTarget = number | (() => number | undefined);

export class Relay {
  readonly #target: () => number | undefined;
  #listener: TCPSocketListener<End> | undefined;
  readonly #sockets = new Set<Socket<End>>();
  /** What gets lost on the way until the next `cut` or `up`. */
  #lost: "nothing" | "answers" | "everything" = "nothing";
  readonly port: number;

  constructor(target: RelayTarget) {
    this.#target = typeof target === "number" ? () => target : target;
    this.#listener = this.#listen(0);
    this.port = this.#listener.port;
  }

  /** `http://127.0.0.1:PORT`, in place of the server's own. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections now open, both directions of one counted once. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Breaks every connection; new ones are accepted. */
  cut(): void {
    this.#lost = "nothing";
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Breaks every connection and refuses new ones. */
  down(): void {
    this.#listener?.stop(true);
    this.#listener = undefined;
    this.cut();
  }

  /** Accepts connections again, on the same port, and everything passes. */
  up(): void {
    this.#lost = "nothing";
    this.#listener ??= this.#listen(this.port);
  }

  /** Passes on what goes to the server, and loses what comes back. */
  muffle(): void {
    this.#lost = "answers";
  }

  /** Connections stay and nothing passes any more, as when a server hangs. */
  freeze(): void {
    this.#lost = "everything";
  }

  /** What the open connections carry, either way, is kept until `deliver`. New ones are not held. */
  hold(): void {
    for (const { data } of this.#sockets) data.isHeld = true;
  }

  /** Breaks the held connections at the client's side. What the client has written arrives at the server with `deliver`. */
  cutHeld(): void {
    for (const socket of this.#sockets) if (socket.data.isHeld && !socket.data.isServer) socket.terminate();
  }

  /** What is held arrives. */
  deliver(): void {
    for (const socket of this.#sockets) {
      socket.data.isHeld = false;
      drain(socket);
    }
  }

  /** Lets the open event streams fall silent without a sign, as after a machine has slept. */
  muteStreams(): void {
    for (const { data } of this.#sockets) data.isMute ||= data.carriesStream;
  }

  #listen(port: number): TCPSocketListener<End> {
    return Bun.listen<End>({
      hostname: "127.0.0.1",
      port,
      socket: {
        ...this.#handlers,
        open: (socket) => {
          socket.data = newEnd(undefined);
          const target = this.#target();
          if (target === undefined) {
            socket.terminate();
            return;
          }
          this.#sockets.add(socket);
          this.#connect(socket, target).catch(() => socket.terminate());
        },
      },
    });
  }

  async #connect(near: Socket<End>, port: number): Promise<void> {
    const far = await Bun.connect<End>({
      hostname: "127.0.0.1",
      port,
      data: newEnd(near),
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
    data: (socket: Socket<End>, bytes: Uint8Array): void => {
      const { other, isServer, isMute } = socket.data;
      if (isMute || this.#lost === "everything" || (isServer && this.#lost === "answers")) return;
      if (isServer && new TextDecoder().decode(bytes).includes("text/event-stream")) {
        for (const end of [socket, other]) if (end !== undefined) end.data.carriesStream = true;
      }
      // Until the far side is there, what came is kept by the near one.
      (other ?? socket).data.waiting.push(bytes.slice());
      if (other !== undefined) drain(other);
    },
    drain,
    close: (socket: Socket<End>): void => {
      this.#sockets.delete(socket);
      const { other } = socket.data;
      if (other === undefined) return;
      other.data.isLast = true;
      drain(other);
    },
    error(socket: Socket<End>): void {
      socket.terminate();
    },
  };
}

/** @param other of an end at the server's side: the client's */
function newEnd(other: Socket<End> | undefined): End {
  const isServer = other !== undefined;
  return { isServer, other, waiting: [], isLast: false, carriesStream: false, isMute: false, isHeld: false };
}

function drain(socket: Socket<End>): void {
  const { waiting, isLast, isHeld } = socket.data;
  if (isHeld) return;
  for (let piece = waiting[0]; piece !== undefined; piece = waiting[0]) {
    const written = socket.write(piece);
    if (written < piece.length) {
      waiting[0] = piece.subarray(Math.max(0, written));
      return;
    }
    waiting.shift();
  }
  if (isLast) socket.end();
}

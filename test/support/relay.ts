/**
 * A bad line: a TCP relay in front of a server that tests can cut and mend.
 *
 * This file owns its sockets. It must never change what passes, and looks at it only to know which
 * connections carry an event stream.
 */

interface Side {
  readonly end: () => void;
  carriesStream: boolean;
  /** Nothing passes any more, and nobody is told. */
  isMute: boolean;
}

export interface Relay {
  /** `http://127.0.0.1:PORT`, in place of the server's own. */
  readonly origin: string;
  /** Breaks every connection and refuses new ones. */
  cut(): void;
  /** Lets the open event streams fall silent without a sign, as after a machine has slept. */
  mute(): void;
  /** Lets new connections through. */
  mend(): void;
  stop(): void;
}

/** Starts a relay to a port of this machine. */
export function startRelay(port: number): Relay {
  const open = new Set<Side>();
  let isCut = false;
  const listener = Bun.listen<{ send: (bytes: Uint8Array) => void; side: Side | undefined }>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(near) {
        const waiting: Uint8Array[] = [];
        near.data = { send: (bytes) => waiting.push(bytes.slice()), side: undefined };
        if (isCut) {
          near.terminate();
          return;
        }
        void Bun.connect({
          hostname: "127.0.0.1",
          port,
          socket: {
            open(far) {
              const side: Side = {
                carriesStream: false,
                isMute: false,
                end: () => {
                  near.terminate();
                  far.terminate();
                },
              };
              near.data.side = side;
              open.add(side);
              near.data.send = (bytes) => {
                if (!side.isMute) far.write(bytes);
              };
              for (const bytes of waiting) far.write(bytes);
            },
            data: (_far, bytes) => {
              const { side } = near.data;
              if (side === undefined || side.isMute) return;
              side.carriesStream ||= new TextDecoder().decode(bytes).includes("text/event-stream");
              near.write(bytes);
            },
            close: () => void near.end(),
            error: () => void near.terminate(),
          },
        }).catch(() => near.terminate());
      },
      data: (near, bytes) => near.data.send(bytes),
      close: (near) => near.data.side?.end(),
      error: (near) => near.data.side?.end(),
    },
  });
  return {
    origin: `http://127.0.0.1:${listener.port}`,
    cut() {
      isCut = true;
      for (const side of open) side.end();
      open.clear();
    },
    mute() {
      for (const side of open) side.isMute = side.carriesStream;
    },
    mend() {
      isCut = false;
    },
    stop() {
      for (const side of open) side.end();
      listener.stop(true);
    },
  };
}

/**
 * The seam between an event stream's content and the connection it is written to: the connection
 * pulls, the content wakes it. Nothing is buffered on the way, so a slow reader costs one write.
 *
 * This file owns two interfaces. It must never hold state or know a runtime's streams.
 */

/** What one open event stream is written from. */
export interface FrameSource {
  /** The connection exists. Called once, before the first `pull`, which follows at once. */
  attach(outlet: Outlet): void;
  /**
   * The frames to write now: about `maxChars` UTF-16 units, more only if a single frame is longer;
   * "" when there is nothing. The first pull is never empty: response headers wait for a first byte.
   */
  pull(maxChars: number): string;
  /** What to write when nothing has been said for a while; "" for nothing. */
  keepAlive(): string;
  /** Whether what this stream has not pulled yet is partly gone: a stalled stream is then cut. */
  readonly overrun: boolean;
  /** The peer has stopped reading: what was last pulled is not known to arrive. */
  stalled?(): void;
  /** The peer has read on. */
  drained?(): void;
  /** The connection is over, whoever ended it. Called exactly once. */
  closed(): void;
}

/** The connection, as a source sees it. Everything is harmless after the connection is over. */
export interface Outlet {
  /** There may be something to pull: it is written within this turn. */
  wake(): void;
  /** Pulls and writes what is left, then ends the response cleanly. */
  end(): void;
}

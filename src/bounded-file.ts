/**
 * Reading a small file that somebody else wrote, no further than its bound: a path may lead to a device.
 *
 * This file owns that reading. It must never look at what it reads.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

export interface BoundedFile {
  /** All of it, or the first `bytesMax + 1` bytes if it is larger. */
  readonly bytes: Buffer;
  /** Whether every user of the machine can read it. */
  readonly isOpenToOthers: boolean;
}

const READ_BY_OTHERS = 0o004;

/** @throws the system's error when the file cannot be read */
export function readBounded(path: string, bytesMax: number): BoundedFile {
  const bytes = Buffer.alloc(bytesMax + 1);
  const file = openSync(path, "r");
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    return { bytes: bytes.subarray(0, length), isOpenToOthers: (fstatSync(file).mode & READ_BY_OTHERS) !== 0 };
  } finally {
    closeSync(file);
  }
}

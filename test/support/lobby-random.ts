/**
 * Randomness that a number brings back: xoshiro128**, a generator with 2^128 - 1 states, seeded by
 * splitmix32 so that seeds next to each other share nothing.
 *
 * This file owns chance in tests of the lobby. It must never be seeded by anything but an argument.
 */
import { ENTROPY_CHARS } from "../../src/limits.ts";

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    let mixed = seed | 0;
    const next = (): number => {
      mixed = (mixed + 0x9e3779b9) | 0;
      let z = mixed;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return z ^ (z >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  /** The next 32 bits. */
  next(): number {
    const b = this.#b;
    const c = this.#c ^ this.#a;
    const d = this.#d ^ b;
    this.#b = b ^ c;
    this.#a ^= d;
    this.#c = c ^ (b << 9);
    this.#d = rotate(d, 11);
    return Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
  }

  /** A whole number from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * count);
  }

  chance(probability: number): boolean {
    return this.next() / 0x1_0000_0000 < probability;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0];
  }

  /** One of them, or undefined if there is none. */
  any<T>(from: readonly T[]): T | undefined {
    return from[this.below(from.length)];
  }

  /** The key of one of the weights, each as likely as its weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const all = Object.entries<number>(weights) as [K, number][];
    let left = this.below(all.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [key, weight] of all) {
      if (left < weight) return key;
      left -= weight;
    }
    throw new Error("no weights to choose by");
  }

  /** The entropy of one entry. */
  entropy(): string {
    let text = "";
    for (let i = 0; i < ENTROPY_CHARS; i++) text += BASE64URL[this.next() >>> 26];
    return text;
  }
}

function rotate(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}

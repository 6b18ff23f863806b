/**
 * What was sent and what was heard: every message of every pair, so that none can be lost, doubled,
 * reordered or heard by a stranger unseen.
 *
 * This file owns that account. It must never see a socket.
 */

/** Everything that may have gone wrong, counted in messages. All zero is the only good account. */
export interface Account {
  readonly accepted: number;
  readonly heard: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Heard by somebody who is not the sender's partner, or unreadable. */
  readonly foreign: number;
}

const NOBODY = -1;

export class Ledger {
  /** By sender: the last number given out, and how many of them the server accepted. */
  readonly #sent: Uint32Array;
  readonly #accepted: Uint32Array;
  /** By receiver: whom they hear, the greatest number heard, and how many different ones. */
  readonly #partner: Int32Array;
  readonly #last: Uint32Array;
  readonly #different: Uint32Array;
  /** Numbers that others have overtaken, by receiver. */
  readonly #missing = new Map<number, Set<number>>();
  #doubled = 0;
  #reordered = 0;
  #foreign = 0;
  #heard = 0;

  constructor(users: number) {
    this.#sent = new Uint32Array(users);
    this.#accepted = new Uint32Array(users);
    this.#partner = new Int32Array(users).fill(NOBODY);
    this.#last = new Uint32Array(users);
    this.#different = new Uint32Array(users);
  }

  /** Messages heard so far, each once. */
  get heard(): number {
    return this.#heard;
  }

  /** The number of a sender's next message. */
  next(sender: number): number {
    const seq = (this.#sent[sender] ?? 0) + 1;
    this.#sent[sender] = seq;
    return seq;
  }

  /** The server has said yes to a message, so it must arrive. */
  accept(sender: number): void {
    this.#accepted[sender] = (this.#accepted[sender] ?? 0) + 1;
  }

  /** @returns whether the message was new and from the partner */
  hear(receiver: number, sender: number, seq: number): boolean {
    const partner = this.#partner[receiver] ?? NOBODY;
    if (partner === NOBODY && sender >= 0 && sender < this.#partner.length && sender !== receiver) {
      this.#partner[receiver] = sender;
    } else if (partner !== sender || sender === NOBODY) {
      this.#foreign++;
      return false;
    }
    const last = this.#last[receiver] ?? 0;
    if (seq > last) {
      for (let skipped = last + 1; skipped < seq; skipped++) this.#miss(receiver, skipped);
      this.#last[receiver] = seq;
    } else if (this.#missing.get(receiver)?.delete(seq)) {
      this.#reordered++;
    } else {
      this.#doubled++;
      return false;
    }
    this.#different[receiver] = (this.#different[receiver] ?? 0) + 1;
    this.#heard++;
    return true;
  }

  #miss(receiver: number, seq: number): void {
    const missing = this.#missing.get(receiver) ?? new Set();
    missing.add(seq);
    this.#missing.set(receiver, missing);
  }

  /** The account as it stands. Only final once nothing is under way any more. */
  account(): Account {
    let accepted = 0;
    let lost = 0;
    let foreign = this.#foreign;
    const heardFrom = new Uint32Array(this.#sent.length);
    this.#partner.forEach((sender, receiver) => {
      if (sender === NOBODY) return;
      heardFrom[sender] = (heardFrom[sender] ?? 0) + (this.#different[receiver] ?? 0);
      const back = this.#partner[sender];
      if (back !== NOBODY && back !== receiver) foreign++;
    });
    this.#accepted.forEach((count, sender) => {
      accepted += count;
      lost += Math.max(0, count - (heardFrom[sender] ?? 0));
    });
    return { accepted, heard: this.#heard, lost, doubled: this.#doubled, reordered: this.#reordered, foreign };
  }
}

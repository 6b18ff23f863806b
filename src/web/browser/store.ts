/**
 * What the views show, and what of it outlives a reload, in one place.
 *
 * This file owns the model: every change passes here, is kept, and is told. It must never decide what
 * changes.
 */
import { type Action, reduce, type State } from "./conversation.ts";
import type { Connection } from "./feed.ts";
import type { Session } from "./storage.ts";

/** What the views show. */
export interface Model {
  readonly state: State;
  readonly connection: Connection;
  /** Names of the server's tools; undefined until they are known. */
  readonly tools: ReadonlySet<string> | undefined;
  /** Whether the server asks for an access token, has refused one, or was given it. */
  readonly access: "open" | "asked" | "refused" | "given";
  /** The server did not answer when the page was opened. */
  readonly isUnreachable: boolean;
  /** Something was asked of the server that may not be asked twice at once. */
  readonly isBusy: boolean;
  /** A code and the server's words for what went wrong last. */
  readonly problem: { readonly code: string; readonly message: string } | undefined;
}

export interface StoreOptions {
  readonly session: Session;
  /** Keeps the session over a reload. */
  readonly save: (session: Session) => void;
  readonly onChange: (model: Model, before: Model) => void;
}

export class Store {
  readonly #options: StoreOptions;
  #session: Session;
  #model: Model;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#model = {
      state: options.session.state,
      connection: "off",
      tools: undefined,
      access: options.session.isGuarded ? "given" : "open",
      isUnreachable: false,
      isBusy: false,
      problem: undefined,
    };
  }

  get model(): Model {
    return this.#model;
  }

  get session(): Session {
    return this.#session;
  }

  get state(): State {
    return this.#model.state;
  }

  dispatch(action: Action): void {
    const state = reduce(this.state, action);
    if (state === this.state) return;
    this.keep({ state });
    this.change({ state });
  }

  change(change: Partial<Model>): void {
    const before = this.#model;
    this.#model = { ...before, ...change };
    this.#options.onChange(this.#model, before);
  }

  keep(change: Partial<Session>): void {
    this.#session = { ...this.#session, ...change };
    this.#options.save(this.#session);
  }
}

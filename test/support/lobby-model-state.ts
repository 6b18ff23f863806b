/**
 * Everything the model remembers, as plain lists, and what it knows of the step under way.
 *
 * This file owns the shape of it. It must never hold a rule.
 */
import type { LobbySettings } from "../../src/domain/command.ts";
import type { LobbyEvent } from "../../src/domain/event.ts";
import type { AuditEntry, Ban, Report } from "../../src/domain/state.ts";
import { type Allowances, copyAllowances } from "./lobby-model-limits.ts";
import { copyPeople, type ModelRoom, type ModelUser } from "./lobby-model-people.ts";

/** A ban as anybody can see it. */
export type ModelBan = Omit<Ban, "number">;

export interface ModelState {
  settings: LobbySettings;
  now: number;
  /** In the order in which they were made. */
  users: ModelUser[];
  /** In the order in which they were opened. */
  rooms: ModelRoom[];
  endedSessions: string[];
  /** In the order in which they joined. */
  nodes: ModelNode[];
  /** Every node that there was and that is no more. */
  endedNodes: string[];
  /** The rules in force; 0 = there never was a node. */
  rules: number;
  /** In the order in which they were made. */
  bans: ModelBan[];
  reports: Report[];
  audit: AuditEntry[];
  /** What addresses may still do. */
  readonly addresses: Map<string, Allowances>;
  nextUser: number;
  nextHold: number;
  nextArrival: number;
  nextClosing: number;
  nextAct: number;
  step: ModelStep;
}

/** What is known of a node; what is open there, its users know. */
export interface ModelNode {
  readonly id: string;
  readonly rules: number;
  latest: number;
  heardAt: number;
}

/** Of the step under way. */
export interface ModelStep {
  readonly entropy: string;
  /** The node whose entry it is. */
  readonly node: string | undefined;
  roomsOpened: number;
  readonly events: LobbyEvent[];
  /** What the real lobby says has happened: looked at only where the rules leave a choice. */
  readonly seen: readonly LobbyEvent[];
}

export function emptyState(settings: LobbySettings): ModelState {
  return {
    settings,
    now: 0,
    users: [],
    rooms: [],
    endedSessions: [],
    nodes: [],
    endedNodes: [],
    rules: 0,
    bans: [],
    reports: [],
    audit: [],
    addresses: new Map(),
    nextUser: 1,
    nextHold: 1,
    nextArrival: 1,
    nextClosing: 1,
    nextAct: 1,
    step: { entropy: "", node: undefined, roomsOpened: 0, events: [], seen: [] },
  };
}

export function copyState(state: ModelState): ModelState {
  return {
    ...state,
    ...copyPeople(state.users, state.rooms),
    endedSessions: [...state.endedSessions],
    nodes: state.nodes.map((node) => ({ ...node })),
    endedNodes: [...state.endedNodes],
    bans: [...state.bans],
    reports: state.reports.map((report) => ({ ...report })),
    audit: [...state.audit],
    addresses: new Map([...state.addresses].map(([address, allowances]) => [address, copyAllowances(allowances)])),
  };
}

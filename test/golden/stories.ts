/** All golden stories. */

import { CONNECTIONS } from "./connections.ts";
import { DISCOVERING } from "./discovering.ts";
import { EDGES } from "./edges.ts";
import { MEETING } from "./meeting.ts";
import { QUEUEING } from "./queueing.ts";
import { REMEMBERING } from "./remembering.ts";
import { ROOMS } from "./rooms.ts";
import type { Story } from "./story.ts";
import { SUBSCRIBING } from "./subscribing.ts";

export const STORIES: readonly Story[] = [
  ...MEETING,
  ...CONNECTIONS,
  ...QUEUEING,
  ...ROOMS,
  ...REMEMBERING,
  ...SUBSCRIBING,
  ...DISCOVERING,
  ...EDGES,
];

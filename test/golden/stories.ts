/** All golden stories. */

import { CONNECTIONS } from "./connections.ts";
import { MEETING } from "./meeting.ts";
import type { Story } from "./story.ts";

export const STORIES: readonly Story[] = [...MEETING, ...CONNECTIONS];

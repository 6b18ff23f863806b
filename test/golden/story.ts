/** What a golden story is: a script, and what its minutes are to prove. */

import { within } from "../support/client-deadline.ts";
import { Stage, type StageOptions } from "../support/golden-stage.ts";

/** How long a story may take before it is said where it stands, in real milliseconds. Most take thirty. */
const STORY_MS_MAX = 4500;

export interface Story {
  /** Name of the file with its minutes, without `.txt`. */
  readonly file: string;
  /** What it proves: the first lines of the file, one sentence or two. */
  readonly proves: string;
  readonly setting?: StageOptions | (() => Promise<StageOptions>);
  tell(stage: Stage): Promise<void>;
}

/** Plays a story from beginning to end. */
export async function play(story: Story): Promise<Stage> {
  const { setting } = story;
  const stage = new Stage(typeof setting === "function" ? await setting() : setting);
  try {
    await within("the next line", story.tell(stage), STORY_MS_MAX);
  } catch (problem) {
    await stage.stop();
    const told = stage.minutes.lines.slice(-10).join("\n");
    throw new Error(`${story.file} breaks off after\n${told}\n${problem}`, { cause: problem });
  }
  await stage.end();
  return stage;
}

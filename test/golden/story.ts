/** What a golden story is: a script, and what its minutes are to prove. */

import { Stage, type StageOptions } from "../support/golden-stage.ts";

export interface Story {
  /** Name of the file with its minutes, without `.txt`. */
  readonly file: string;
  /** What it proves: the first lines of the file, one sentence or two. */
  readonly proves: string;
  readonly setting?: StageOptions;
  tell(stage: Stage): Promise<void>;
}

/** Plays a story from beginning to end. */
export async function play(story: Story): Promise<Stage> {
  const stage = new Stage(story.setting);
  try {
    await story.tell(stage);
  } catch (problem) {
    await stage.stop();
    const told = stage.minutes.lines.slice(-10).join("\n");
    throw new Error(`${story.file} breaks off after\n${told}\n${problem}`, { cause: problem });
  }
  await stage.end();
  return stage;
}

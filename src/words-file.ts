/**
 * The operator's word list as a file: read when the program starts, and again when it is told to.
 *
 * This file owns the reading. It must never keep the program from running once a list is in force, and
 * never repeat a word of it.
 */
import { readBounded } from "./bounded-file.ts";
import { parseWords, WordList, type WordsAction } from "./chat/words.ts";
import { WORDS_FILE_BYTES_MAX } from "./limits.ts";

/** Where it is reported what became of a reading; `Log` fits. */
interface ReadingLog {
  info(message: string, fields: Readonly<Record<string, string | number>>): void;
  error(message: string, fields: Readonly<Record<string, string | number>>): void;
}

export interface WordsFile {
  /** The list in force. */
  readonly list: WordList;
  /** Reads the file anew; if it cannot be used, the list stays as it is. */
  reload(log: ReadingLog): void;
}

/** @throws with one line for the operator when the file cannot be used */
export function openWordsFile(path: string, action: WordsAction): WordsFile {
  const list = new WordList(readWords(path), action);
  return {
    list,
    reload(log) {
      try {
        const words = readWords(path);
        list.replace(words);
        log.info("the word list was read anew", { words: words.length });
      } catch (problem) {
        log.error("the word list was not read anew; the old one stays", {
          problem: problem instanceof Error ? problem.message : "unknown",
        });
      }
    },
  };
}

function readWords(path: string): readonly string[] {
  const parsed = parseWords(readBounded(path, WORDS_FILE_BYTES_MAX).bytes.toString("utf8"));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.words;
}

/**
 * Seeds whose worlds once went wrong, by what was wrong. They run first, so that a fault that comes
 * back is named at once.
 *
 * This file owns the list. It may be emptied when the worlds are made differently, as a seed then
 * means another world.
 */
export const FAILED_ONCE: Readonly<Record<string, number>> = {
  "deadlines happened when they were found; a call that came late revived its ended session": 1,
  "a call that ended with its session was none for the idle clock": 11,
  "the allowance of messages was added up in fractions": 28,
  "one mailbox was emptied while older mail of others was kept": 62,
  "of several known partners not the longest-waiting was met again": 217,
  "of those kept apart not the longest-waiting looked first": 5165,
};

/**
 * Another time of day for a program that is started with this file preloaded: that of `CLOCK_STARTS_AT`, in
 * milliseconds since 1970. What was kept then is as old for it as it was then.
 *
 * This file owns that clock. It must never be part of a server that is not a test's.
 */
const laterMs = Number(process.env.CLOCK_STARTS_AT) - Date.now();
const now = Date.now;
Date.now = () => now() + laterMs;

/**
 * The type of JSON values.
 *
 * This file owns that type. It must never hold code.
 */

/** Anything that survives `JSON.parse(JSON.stringify(x))`. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json };

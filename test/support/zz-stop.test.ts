import { startProgram, run } from "./program.ts";
import { test } from "bun:test";
test("x", async () => {

for (const a of ["--requirements 2026-07-28","--requirements 2025-11-25","--suite all"]) {
const s = await startProgram({ kind: { command: [process.execPath, "/work/main/test/conformance/server.ts"] } });
await run([process.execPath, "/work/main/node_modules/@modelcontextprotocol/conformance/dist/index.js","server","--url",s.url,...a.split(" "),"-o","/tmp/lt/o"]);
const h = await (await fetch(s.origin+"/healthz")).text();
const t = performance.now(); const c = await s.stop(); console.log(a, c, performance.now()-t, h, s.stderr);
}
}, 100000);

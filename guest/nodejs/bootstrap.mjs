// Entry point of every managed Node.js runtime: says hello, waits for `init`, loads the function, serves events.
// Node's own modules only; everything rare (streaming, ESM hooks) is imported when first needed, to keep cold starts short.
import { chdir } from "node:process";

import { patchConsole } from "./console.mjs";
import { reportUncaught } from "./crash.mjs";
import { HELLO, INIT, INIT_DONE, SHUTDOWN, nextFrame, writeJson, writeFrame } from "./frames.mjs";
import { loadRuntime } from "./handler.mjs";
import { extendResolution } from "./resolution.mjs";
import { serve } from "./serve.mjs";

/** Makes `process.env` exactly what `init` says: nothing of the platform's own environment may be seen by a function. */
function replaceEnvironment(environment) {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  for (const name of Object.keys(environment)) process.env[name] = environment[name];
}

writeJson(HELLO, { pid: process.pid, version: process.version });
const frame = nextFrame();
if (frame === undefined || frame.type === SHUTDOWN) process.exit(0);
if (frame.type !== INIT) throw new Error(`expected an init frame, got type ${frame.type}`);

const init = JSON.parse(frame.body());
// Absent where a launcher has started this process with the function's variables, to which a wrapper may have added.
if (init.environment === undefined) init.environment = { ...process.env };
else replaceEnvironment(init.environment);
chdir(init.taskRoot);
patchConsole(init);
reportUncaught();
await extendResolution(init);
const runtime = await loadRuntime(init.taskRoot, init.handler);
writeFrame(INIT_DONE);
await serve(runtime, init);

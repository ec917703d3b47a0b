// A platform of nothing but a sandbox with busy guests, for a test to kill. Run with the folder of the built program.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , dist, kind, folder, script] = process.argv;
const load = (path) => import(pathToFileURL(join(dist, path)).href);
const { systemClock: clock } = await load("core/clock.js");
const { systemIds: ids } = await load("core/ids.js");
const { openSandbox } = await load("engine/sandbox/open.js");

mkdirSync(folder, { recursive: true });
const network = { mode: "none", localNetwork: "deny" };
const { backend } = await openSandbox({ sandbox: kind, network, folder, instance: folder, clock, ids });
await backend.clean();
const options = {
  mounts: [],
  environment: { PATH: "/usr/bin:/bin" },
  memoryMb: 128,
  ephemeralStorageMb: 512,
};
for (const id of ["busy", "idle"]) {
  const sandbox = backend.start(
    { ...options, id, command: "/bin/sh", args: ["-c", script] },
    {
      frames: () => {
        if (id === "idle") sandbox.busy = false;
        console.log("ready");
      },
      output: () => undefined,
      exited: (exit) => console.log("exited", JSON.stringify(exit), String(exit.error)),
    },
  );
}

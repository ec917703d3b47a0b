// A platform of nothing but a sandbox with busy guests, for a test to kill.
import { mkdirSync } from "node:fs";
import { systemClock as clock } from "#core/clock";
import { systemIds as ids } from "#core/ids";
import { openSandbox, type SandboxChoice } from "#engine/sandbox/open";

const [kind = "", folder = "", script = ""] = process.argv.slice(2);
const sandbox = kind as SandboxChoice["sandbox"];

mkdirSync(folder, { recursive: true });
const network = { mode: "none", localNetwork: "deny" } as const;
const { backend } = await openSandbox({ sandbox, network, folder, instance: folder, clock, ids });
await backend.clean();
const options = {
  mounts: [],
  environment: { PATH: "/usr/bin:/bin" },
  memoryMb: 128,
  ephemeralStorageMb: 512,
};
for (const id of ["busy", "idle"]) {
  const guest = backend.start(
    { ...options, id, command: "/bin/sh", args: ["-c", script] },
    {
      frames: () => {
        if (id === "idle") guest.busy = false;
        console.log("ready");
      },
      output: () => undefined,
      exiting: () => undefined,
      exited: (exit) => console.log("exited", JSON.stringify(exit), String(exit.error)),
    },
  );
}

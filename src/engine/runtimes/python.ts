import { join } from "node:path";
import type { RuntimeLanguage } from "./language.ts";

export const python: RuntimeLanguage = {
  command: (view) => ({
    command: view.command,
    // -B: code is shared by environments and never written to; -s: the operator's own packages are not the function's; -S:
    // nor is the code in their .pth files, which would run at every cold start. The guest does what else `site` is for.
    args: ["-B", "-s", "-S", join(view.guest, "bootstrap.py")],
  }),
  environment: ({ runtimePath }) => ({ LC_CTYPE: "C.UTF-8", PYTHONPATH: runtimePath }),
  restores: true,
  prefetches: true,
  actsAtStart: (variable) => /^(?:PYTHON(?!PATH$)|LC_|LANG|TZ$|MALLOC_)/.test(variable),
};

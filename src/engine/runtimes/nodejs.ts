import { join } from "node:path";
import type { RuntimeLanguage } from "./language.ts";

export const nodejs: RuntimeLanguage = {
  command: (view, memoryMb) => ({
    command: view.command,
    args: [
      // AWS's bootstrap gives the heap nine tenths of the memory, so that garbage is collected before the limit kills.
      `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`,
      "--max-http-header-size=81920",
      join(view.guest, "bootstrap.cjs"),
    ],
  }),
  environment: ({ runtimePath }, { task, opt }, version) => ({
    NODE_PATH: [
      ...(opt === undefined
        ? []
        : [join(opt, "nodejs", `node${version}`, "node_modules"), join(opt, "nodejs", "node_modules")]),
      join(runtimePath, "node_modules"),
      runtimePath,
      task,
    ].join(":"),
  }),
  prefetches: true,
  actsAtStart: (variable) => /^(?:NODE_(?!PATH$|ENV$)|SSL_CERT_|OPENSSL_|UV_|TZ$)/.test(variable),
};

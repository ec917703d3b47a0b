import type { Command } from "../command.ts";

export const bench: Command = {
  name: "bench",
  summary: "Measure this host against bare node:http and bare interpreter starts",
  options: [
    { flags: "--quick", description: "a short run, for a first impression" },
    { flags: "--write", description: "write docs/performance.md" },
  ],
  examples: [["measure and write the table", "thaw bench --write"]],
  run: (input, host) =>
    host.bench({ quick: Boolean(input.options["quick"]), write: Boolean(input.options["write"]) }),
};

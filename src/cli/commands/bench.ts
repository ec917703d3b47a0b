import type { Command } from "../command.ts";

export const bench: Command = {
  name: "bench",
  summary: "Measure this host against bare node:http and bare interpreter starts",
  options: [
    { flags: "--quick", description: "a short run, for a first impression" },
    { flags: "--write", description: "write docs/performance.md" },
  ],
  examples: [["measure and write the table", "thaw bench --write"]],
  async run(input, host) {
    // Loaded here: the load generator is of no use to any other command's start.
    const { runBench } = await import("../bench/run.ts");
    return runBench(host, { quick: Boolean(input.options["quick"]), write: Boolean(input.options["write"]) });
  },
};

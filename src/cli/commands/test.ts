import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Command, exit } from "../command.ts";

export const test: Command = {
  name: "test",
  summary: "Run Thaw's own tests",
  arguments: [{ name: "[vitest-arguments...]", description: "files to run and options of vitest" }],
  options: [{ flags: "--soak", description: "add the runs at full scale, which take long" }],
  passesOn: true,
  examples: [
    ["everything", "thaw test"],
    ["what needs no platform, in under a minute", "thaw test --project unit"],
    ["some files, by a part of their path", "thaw test src/wire test/cli"],
    ["everything, at full scale", "thaw test --soak"],
  ],
  async run(input, host) {
    const script = join(host.home, "tools", "test.sh");
    const soak = input.options["soak"] ? ["--soak"] : [];
    const child = spawn("sh", [script, ...soak, ...input.rest], { stdio: "inherit" });
    // Ctrl-C reaches the tests by themselves, and they end in order; this process waits for them.
    void host.untilInterrupted();
    const [code] = (await once(child, "exit")) as [number | null];
    return code ?? exit.failed;
  },
};

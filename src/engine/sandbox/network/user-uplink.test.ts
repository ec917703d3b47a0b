import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { until } from "../../../../test/support/until.ts";
import { LIFELINE } from "./user-uplink.ts";

it("ends its program when the platform dies without a word", async () => {
  const platform = spawn(
    process.execPath,
    [
      "-e",
      `const { spawn } = require("node:child_process");
      spawn("sh", ["-c", ${JSON.stringify(LIFELINE)}, "sh", "sh", "-c", "echo $$; exec sleep 600"], { stdio: ["pipe", "inherit", "inherit"] });`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(platform.stdout, "data")) as [Buffer];
  const pid = Number(String(line));
  await until(async () => expect(await commandOf(pid)).toMatch(/^sleep/));
  platform.kill("SIGKILL");
  await until(async () => expect(await commandOf(pid)).toBe(""));
});

/** What a process runs; empty where there is none. */
function commandOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
}

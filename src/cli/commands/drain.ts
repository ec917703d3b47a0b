import type { CliHost, RunningPlatform } from "../command.ts";

/** Lets running invocations finish; the next Ctrl-C ends them. */
export async function drain(platform: RunningPlatform, host: CliHost): Promise<void> {
  host.out.line("Draining: running invocations finish… (Ctrl-C again to end them now)");
  const again = host.untilInterrupted().then(() => platform.close(0));
  await Promise.race([platform.close(), again]);
}

import { type Command, exit } from "../command.ts";
import { envLine } from "../connect.ts";
import { drain } from "./drain.ts";
import { quote } from "../shell.ts";
import { platformFlags, platformOptions } from "../options.ts";

export const up: Command = {
  name: "up",
  summary: "Start the platform and run until Ctrl-C",
  options: platformOptions,
  examples: [
    ["listen on port 4566 of this machine", "thaw up"],
    ["a clean slate for a test run", "thaw up --ephemeral --allow-reset --port 5000"],
    ["for other machines, with TLS and a root key of its own", "thaw up --host 0.0.0.0"],
  ],
  async run(input, host) {
    const config = host.loadConfig(platformFlags(input));
    // Asked first: a Ctrl-C while the platform starts ends it as properly as a later one.
    const interrupted = host.untilInterrupted();
    const platform = await host.startPlatform(config);
    const { out } = host;
    out.line(
      `${out.bold("Thaw")} ${host.version} is ready at ${out.bold(platform.url)} (${platform.startedInMs} ms)`,
    );
    out.line(out.dim(`data: ${config.ephemeral ? "temporary" : config.data}   stop: Ctrl-C`));
    out.line(`Point any AWS tool at it:  ${out.bold(envLine(platform, config, host))}`);
    if (platform.rootKeyFile !== undefined)
      out.line(
        out.dim(`root key: ${platform.rootKeyFile}, for you alone; the line above gives it to AWS tools`),
      );
    if (platform.authority !== undefined)
      out.line(
        `Clients elsewhere trust it by:  ${out.bold(`AWS_CA_BUNDLE=${quote(platform.authority)} NODE_EXTRA_CA_CERTS=${quote(platform.authority)}`)}`,
      );
    await interrupted;
    await drain(platform, host);
    return exit.ok;
  },
};

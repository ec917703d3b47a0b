import { type Command, exit } from "../command.ts";

export const version: Command = {
  name: "version",
  summary: "Print the version",
  options: [{ flags: "--json", description: "with Node's version and the platform" }],
  examples: [["for a bug report", "thaw version --json"]],
  async run(input, host) {
    const { version: node, platform, arch } = process;
    host.out.line(
      input.options["json"] ? JSON.stringify({ thaw: host.version, node, platform, arch }) : host.version,
    );
    return exit.ok;
  },
};

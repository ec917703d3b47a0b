import { OperatorError } from "#core/errors";
import { type Command, exit } from "../command.ts";
import { platformFlags, platformOptions } from "../options.ts";
import { table } from "../output.ts";

export const runtimes: Command = {
  name: "runtimes",
  summary: "List the runtimes of this host, or add one",
  arguments: [
    { name: "[action]", description: "add" },
    { name: "[runtime]", description: "such as nodejs24.x" },
  ],
  options: [...platformOptions, { flags: "--json", description: "as a JSON array" }],
  examples: [
    ["what is here", "thaw runtimes"],
    ["fetch Node.js 24 from the npm registry", "thaw runtimes add nodejs24.x"],
  ],
  async run(input, host) {
    const config = host.loadConfig(platformFlags(input));
    const [action, name] = input.arguments;
    if (action === "add") {
      if (name === undefined)
        throw new OperatorError("runtimes add: name a runtime, such as nodejs24.x", exit.usage);
      await host.installRuntime(config, name, (line) => host.out.error(line));
    } else if (action !== undefined)
      throw new OperatorError(`runtimes: no action ${action}; try add`, exit.usage);
    const found = await host.runtimes(config);
    if (input.options["json"]) host.out.line(JSON.stringify(found));
    else
      for (const line of table(
        found.map(({ name, state, version, path }) => [name, state, version ?? "", path ?? ""]),
      ))
        host.out.line(line);
    return exit.ok;
  },
};

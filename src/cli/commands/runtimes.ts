import { OperatorError } from "#core/errors";
import { type Command, exit, type RuntimeLine } from "../command.ts";
import { optionsFor, platformFlags } from "../options.ts";
import { table } from "../output.ts";

export const runtimes: Command = {
  name: "runtimes",
  summary: "List the runtimes of this host, or add one",
  arguments: [
    { name: "[action]", description: "add" },
    { name: "[runtime]", description: "such as nodejs24.x" },
  ],
  options: [...optionsFor("cache"), { flags: "--json", description: "as a JSON array" }],
  examples: [
    ["what is here", "thaw runtimes"],
    ["fetch Node.js 24 from the npm registry", "thaw runtimes add nodejs24.x"],
  ],
  async run(input, host) {
    const config = host.loadConfig(platformFlags(input));
    const [action, name] = input.arguments;
    if (action !== undefined && action !== "add")
      throw new OperatorError(`runtimes: no action ${action}; try add`, exit.usage);
    if (action === "add") {
      requireAddable(name, await host.runtimes(config));
      await host.installRuntime(config, name, (line) => host.out.error(line));
    }
    const found = await host.runtimes(config);
    if (input.options["json"]) host.out.line(JSON.stringify(found));
    else for (const line of runtimeTable(found)) host.out.line(line);
    return exit.ok;
  },
};

/** One line a runtime: its interpreter, or how to get one. */
export function runtimeTable(runtimes: readonly RuntimeLine[]): string[] {
  return table(
    runtimes.map(({ name, state, version, path, remedy }) =>
      state === "available"
        ? [name, state, version === undefined ? "the function's own bootstrap" : `${version} ${path}`]
        : [name, state, remedy === undefined ? "" : `→ ${remedy}`],
    ),
  );
}

function requireAddable(name: string | undefined, known: readonly RuntimeLine[]): asserts name is string {
  const addable = known.filter((runtime) => runtime.addable).map((runtime) => runtime.name);
  const choice = `Those that can be added: ${addable.join(", ")}`;
  if (name === undefined) throw new OperatorError(`runtimes add: name a runtime. ${choice}`, exit.usage);
  const runtime = known.find((each) => each.name === name);
  if (runtime === undefined)
    throw new OperatorError(`${name} is no runtime that Thaw can run. ${choice}`, exit.usage);
  if (runtime.state === "available")
    throw new OperatorError(
      runtime.version === undefined
        ? `${name} needs nothing: functions bring it themselves`
        : `${name} is here already: ${runtime.version} ${runtime.path}`,
    );
  if (!runtime.addable)
    throw new OperatorError(`${name} cannot be fetched from here: ${runtime.remedy ?? choice}`);
}

import { Command as Program, CommanderError } from "commander";
import { OperatorError } from "#core/errors";
import { type CliHost, type Command, exit } from "./command.ts";

/** Runs the command line and resolves with the exit code. */
export async function runCli(
  commands: readonly Command[],
  host: CliHost,
  argv: readonly string[],
): Promise<number> {
  let code: number = exit.ok;
  const program = new Program("thaw")
    .description("AWS Lambda on your own machines: AWS's own APIs, AWS's own limits, no Docker.")
    .version(host.version, "-V, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.out.write(text),
      writeErr: (text) => host.out.error(text.trimEnd()),
    });
  for (const command of commands) {
    const built = program.command(command.name).summary(command.summary).description(command.summary);
    for (const argument of command.arguments ?? []) built.argument(argument.name, argument.description);
    for (const option of command.options ?? []) built.option(option.flags, option.description);
    built.addHelpText("after", `\nExamples:\n${command.examples.map(example).join("\n")}`);
    built.exitOverride().action(async () => {
      code = await command.run({ arguments: built.processedArgs as string[], options: built.opts() }, host);
    });
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    return report(error, host);
  }
}

function example([what, line]: readonly [string, string]): string {
  return `  # ${what}\n  ${line}`;
}

function report(error: unknown, host: CliHost): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage;
  if (error instanceof OperatorError) {
    host.out.error(`thaw: ${error.message}`);
    return error.exitCode;
  }
  const { name, message, code } = error as Error & { code?: string };
  if (code === "ECONNREFUSED")
    host.out.error("thaw: nothing answers at the endpoint. Start it with: thaw up");
  // An error that AWS's own client raised: its name and message are what the user needs.
  else if (error instanceof Error && "$metadata" in error) host.out.error(`thaw: ${name}: ${message}`);
  // Of the operating system, such as a host name that is not known: no stack of ours explains it.
  else if (error instanceof Error && "syscall" in error) host.out.error(`thaw: ${message}`);
  else host.out.error(`thaw: ${error instanceof Error ? (error.stack ?? message) : String(error)}`);
  return exit.failed;
}

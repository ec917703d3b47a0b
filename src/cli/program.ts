import { Command as Program, CommanderError } from "commander";
import { OperatorError } from "#core/errors";
import { clientSettings } from "#config/settings";
import { type CliHost, type Command, exit } from "./command.ts";
import { distrust, isDistrust } from "./trust.ts";

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
    .showHelpAfterError(`hint: ${host.program} --help lists the commands`)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.out.write(text),
      writeErr: (text) => host.out.error(text.trimEnd()),
    });
  for (const command of commands) {
    const built = program.command(command.name).summary(command.summary).description(command.summary);
    for (const argument of command.arguments ?? []) built.argument(argument.name, argument.description);
    for (const option of command.options ?? []) built.option(option.flags, option.description);
    if (command.passesOn) built.allowUnknownOption().allowExcessArguments();
    built.addHelpText("after", `\nExamples:\n${command.examples.map(example).join("\n")}`);
    built.showHelpAfterError(hint(host, command.name));
    built.exitOverride().action(async () => {
      code = await command.run(
        { arguments: built.processedArgs as string[], rest: built.args, options: built.opts() },
        host,
      );
    });
  }
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    return report(error, host, commands.find(({ name }) => name === argv[0])?.name);
  }
}

function example([what, line]: readonly [string, string]): string {
  return `  # ${what}\n  ${line}`;
}

function hint(host: CliHost, command: string | undefined): string {
  return `hint: ${[host.program, command].filter(Boolean).join(" ")} --help shows what may be given`;
}

function report(error: unknown, host: CliHost, command: string | undefined): number {
  const { out } = host;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.usage;
  if (error instanceof OperatorError) {
    // Of wrong usage, whoever finds it, as commander tells it.
    const usage = error.exitCode === exit.usage;
    out.error(`${usage ? "error" : "thaw"}: ${error.message}`);
    if (usage) out.error(hint(host, command));
    return error.exitCode;
  }
  const { name, message, code } = error as Error & { code?: string };
  if (code === "ECONNREFUSED") out.error(`thaw: ${nothingAnswers(error as RefusedConnection, host)}`);
  else if (error instanceof Error && isDistrust(error)) out.error(`thaw: ${distrust("The platform", error)}`);
  // An error that AWS's own client raised: its name and message are what the user needs.
  else if (error instanceof Error && "$metadata" in error) {
    out.error(`thaw: ${name}: ${message}`);
    if (REFUSED_CREDENTIALS.has(name)) out.error(whoseCredentials());
  }
  // Of the operating system, such as a host name that is not known: no stack of ours explains it.
  else if (error instanceof Error && "syscall" in error) out.error(`thaw: ${message}`);
  else out.error(`thaw: ${error instanceof Error ? (error.stack ?? message) : String(error)}`);
  return exit.failed;
}

/** Node's error; for a name with several addresses it holds one for each. */
interface RefusedConnection extends Error {
  readonly address?: string;
  readonly port?: number;
  readonly errors?: readonly RefusedConnection[];
}

function nothingAnswers(error: RefusedConnection, host: CliHost): string {
  const { address, port } = error.errors?.[0] ?? error;
  const { standard = "" } = clientSettings.endpoint;
  const start = port === Number(new URL(standard).port) ? "up" : `up --port ${port}`;
  const place = address?.includes(":") ? `[${address}]` : address;
  return `nothing answers at ${place}:${port}. Start the platform with: ${host.program} ${start}`;
}

/** What services answer to a key that they do not know, or whose secret is another one. */
const REFUSED_CREDENTIALS: ReadonlySet<string> = new Set([
  "UnrecognizedClientException",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
]);

function whoseCredentials(): string {
  const { variable, awsVariables, standard } = clientSettings.rootKey;
  const aws = awsVariables.slice(0, 2).join(" and ");
  return `hint: credentials come from --root-key, else ${variable}, else ${aws}, else for https from --data, else they are ${standard}`;
}

import { type CliHost, type CommandInput, exit } from "../../command.ts";
import { clientFlags } from "../../options.ts";
import { isNamed, readPermissions } from "./permissions.ts";

/** How many denials are told where nothing else is asked for. */
const TOLD = 5;

/** Tells of the last denials which policies were looked at, and what was missing. */
export async function explain(name: string | undefined, input: CommandInput, host: CliHost): Promise<number> {
  const { out } = host;
  const config = host.loadClientConfig(clientFlags(input));
  const { denials } = await readPermissions(config);
  const wanted = denials.filter(({ holder }) => name === undefined || isNamed(holder, name)).slice(-TOLD);
  if (input.options["json"]) for (const denial of wanted) out.line(JSON.stringify(denial));
  else if (wanted.length === 0) out.line("Nothing was denied.");
  else
    for (const { time, message, looked, missing } of wanted) {
      out.line(`${out.dim(new Date(time).toISOString())} ${out.bold(message)}`);
      for (const { kind, policy, sid, index, effect, outcome } of looked)
        out.line(`    ${kind}: ${policy}, statement ${sid ?? index + 1} (${effect}): ${outcome}`);
      if (looked.length === 0) out.line("    There is no policy to look at.");
      if (missing !== undefined) out.line(`    missing: ${JSON.stringify(missing)}`);
      out.line();
    }
  return exit.ok;
}

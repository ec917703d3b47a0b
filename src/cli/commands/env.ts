import { type Command, exit } from "../command.ts";
import { endpointOf } from "../aws.ts";
import { clientOptions } from "../options.ts";

export const env: Command = {
  name: "env",
  summary: "Print the variables that point AWS tools at the platform",
  options: [...clientOptions, { flags: "--json", description: "as one JSON object" }],
  examples: [
    ["in a shell", 'eval "$(thaw env)"'],
    ["for a script", "thaw env --json"],
  ],
  async run(input, host) {
    const { endpoint, region, credentials } = endpointOf(input, host);
    const variables = {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
    };
    if (input.options["json"]) host.out.line(JSON.stringify(variables));
    else
      for (const [name, value] of Object.entries(variables)) host.out.line(`export ${name}=${quote(value)}`);
    return exit.ok;
  },
};

/** Single quotes, so that no shell expands anything. */
function quote(value: string): string {
  return /^[\w:./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

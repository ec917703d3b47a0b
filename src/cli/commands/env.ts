import { type Command, exit } from "../command.ts";
import { clientFlags, clientOptions } from "../options.ts";
import { quote } from "../shell.ts";

export const env: Command = {
  name: "env",
  summary: "Print the variables that point AWS tools at the platform",
  options: [...clientOptions, { flags: "--json", description: "as one JSON object" }],
  examples: [
    ["in a shell", 'eval "$(thaw env)"'],
    ["of a platform on another port", 'eval "$(thaw env --endpoint http://127.0.0.1:5000)"'],
    ["as another account", 'eval "$(thaw env --root-key 123456789012:test)"'],
    ["for a script", "thaw env --json"],
  ],
  run(input, host) {
    const { config, inTheWay } = host.clientConfigForTools(clientFlags(input));
    const { endpoint, region, credentials, caBundle } = config;
    const variables = {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      // Node.js's clients know no AWS_CA_BUNDLE.
      ...(caBundle === undefined ? {} : { AWS_CA_BUNDLE: caBundle, NODE_EXTRA_CA_CERTS: caBundle }),
    };
    if (input.options["json"]) host.out.line(JSON.stringify(variables));
    else {
      if (inTheWay.length > 0) host.out.line(`unset ${inTheWay.join(" ")}`);
      for (const [name, value] of Object.entries(variables)) host.out.line(`export ${name}=${quote(value)}`);
    }
    return Promise.resolve(exit.ok);
  },
};

import { isWellKnownSecret, parseRootKey } from "#core/root-key";
import { type Config, clientSettings } from "#config/settings";
import type { Endpoint } from "./aws.ts";
import type { CliHost, RunningPlatform } from "./command.ts";
import { quote } from "./shell.ts";

/** A running platform, as clients in this process reach it. */
export function endpointOf({ url, authority }: RunningPlatform, config: Config): Endpoint {
  const { id, secret } = parseRootKey(config.rootKey);
  return {
    endpoint: url,
    region: config.region,
    credentials: { accessKeyId: id, secretAccessKey: secret },
    ...(authority === undefined ? {} : { caBundle: authority }),
  };
}

/**
 * The options with which a client command, copied to another terminal, finds a running platform: as few as will do.
 * Secrets of the user's own are not printed; the word SECRET stands in for them.
 */
export function connectOptions({ url, authority }: RunningPlatform, config: Config, host: CliHost): string {
  const { endpoint, region, rootKey } = clientSettings;
  const here = host.loadClientConfig({});
  const { id, secret } = parseRootKey(config.rootKey);
  const options: string[] = [];
  // What this terminal's variables say may not be said in the next one, so both must agree with what is listened on.
  if (url !== endpoint.standard || url !== here.endpoint) options.push("--endpoint", url);
  if (config.region !== region.standard || config.region !== here.region)
    options.push("--region", config.region);
  if (
    config.rootKey !== rootKey.standard ||
    here.credentials.accessKeyId !== id ||
    here.credentials.secretAccessKey !== secret
  )
    options.push("--root-key", `${id}:${isWellKnownSecret(secret) ? secret : "SECRET"}`);
  // Without variables, a client looks for it where the data is by default.
  if (authority !== undefined && authority !== host.loadClientConfig({ endpoint: url }).caBundle)
    options.push("--ca-bundle", authority);
  return options.map((word) => ` ${quote(word)}`).join("");
}

/** The line that points a shell, and every AWS tool that it starts, at a running platform. */
export function envLine(platform: RunningPlatform, config: Config, host: CliHost): string {
  return `eval "$(${host.program} env${connectOptions(platform, config, host)})"`;
}

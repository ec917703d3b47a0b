import { isWellKnownSecret } from "#core/root-key";
import { type Config, clientSettings } from "#config/settings";
import type { Endpoint } from "./aws.ts";
import type { CliHost, RunningPlatform } from "./command.ts";
import { quote } from "./shell.ts";

/** A running platform, as clients in this process reach it. */
export function endpointOf({ url, authority, rootKey }: RunningPlatform, config: Config): Endpoint {
  const { id, secret } = rootKey;
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
export function connectOptions(platform: RunningPlatform, config: Config, host: CliHost): string {
  const { url, authority, folder, rootKeyFile } = platform;
  const { endpoint, region, rootKey } = clientSettings;
  const { id, secret } = platform.rootKey;
  const own = { data: folder, rootKey: `${id}:${secret}` };
  const here = host.loadClientConfig(own);
  const options: string[] = [];
  // What this terminal's variables say may not be said in the next one, so both must agree with what is listened on.
  if (url !== endpoint.standard || url !== here.endpoint) options.push("--endpoint", url);
  if (config.region !== region.standard || config.region !== here.region)
    options.push("--region", config.region);
  if (rootKeyFile === undefined && (own.rootKey !== rootKey.standard || !isFoundHere(platform, host)))
    options.push("--root-key", `${id}:${isWellKnownSecret(secret) ? secret : "SECRET"}`);
  if ((authority ?? rootKeyFile) !== undefined && !host.isFoundByClients(folder))
    options.push("--data", folder);
  // A variable may name another one.
  if (authority !== undefined && authority !== host.loadClientConfig({ ...own, endpoint: url }).caBundle)
    options.push("--ca-bundle", authority);
  return options.map((word) => ` ${quote(word)}`).join("");
}

/** Whether this terminal's variables lead to the platform's root key. */
function isFoundHere({ url, folder, rootKey }: RunningPlatform, host: CliHost): boolean {
  const { accessKeyId, secretAccessKey } = host.loadClientConfig({ endpoint: url, data: folder }).credentials;
  return accessKeyId === rootKey.id && secretAccessKey === rootKey.secret;
}

/** The line that points a shell, and every AWS tool that it starts, at a running platform. */
export function envLine(platform: RunningPlatform, config: Config, host: CliHost): string {
  return `eval "$(${host.program} env${connectOptions(platform, config, host)})"`;
}

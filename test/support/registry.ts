import { works } from "./tools.ts";

/** The proxies, registries and certificates by which this host reaches the npm registry. */
export const registryVariables = Object.fromEntries(
  Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && /proxy|npm_config|certs/i.test(entry[0]),
  ),
);

/** Whether the npm registry answers. */
export const hasRegistry = works("npm", "ping", "--fetch-retries=0", "--fetch-timeout=5000");

/**
 * A function's own variables, of which those that begin with the platform's address as everybody else knows it begin with the
 * one that the function can reach. AWS's SDKs send a queue's messages to whatever address its URL has, and a sandbox's
 * loopback is not the host's.
 */
export function reachable(
  variables: Readonly<Record<string, string>>,
  publicUrls: readonly string[],
  endpointUrl: string,
): Readonly<Record<string, string>> {
  if (publicUrls.length === 0 || publicUrls[0] === endpointUrl) return variables;
  const hosts = publicUrls.flatMap((url) => [url, url.replace("//127.0.0.1:", "//localhost:")]);
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => {
      const host = hosts.find((url) => value === url || value.startsWith(`${url}/`));
      return [name, host === undefined ? value : endpointUrl.replace(/\/$/, "") + value.slice(host.length)];
    }),
  );
}

import { X509Certificate } from "node:crypto";
import { hostname, networkInterfaces } from "node:os";
import { tlsFolder } from "#config/config";
import type { Config } from "#config/settings";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import { givenIdentity, type TlsIdentity, type TlsSource } from "#server/tls/identity";
import { authorityFile, covers, ownIdentity } from "#server/tls/own-identity";
import { watchIdentity } from "#server/tls/watch";
import type { PlatformLog } from "#telemetry/platform-log";

/** What the listener speaks TLS with. */
export interface PlatformTls {
  readonly identity: TlsIdentity;
  /** The host that links name: one that the certificate is for. */
  readonly publicHost: string;
  /** Every name and address that clients may know the platform by. */
  readonly hosts: readonly string[];
  /** What clients have to trust; undefined where they do so already, or the operator knows. */
  readonly authority: string | undefined;
  /** Takes up what comes in the certificate's place. @returns what ends it */
  watch(use: (identity: TlsIdentity) => void): () => void;
}

/**
 * @param data the data folder
 * @returns undefined where no TLS is spoken
 * @throws OperatorError where there is no certificate that can be used
 */
export async function openTls(
  config: Config,
  data: string,
  { clock, ids, log }: { readonly clock: Clock; readonly ids: Ids; readonly log: PlatformLog },
): Promise<PlatformTls | undefined> {
  if (!config.tls) return undefined;
  const { tlsCert, tlsKey } = config;
  const folder = tlsFolder(data);
  const own = tlsCert === undefined || tlsKey === undefined;
  const source: TlsSource = own
    ? ownIdentity({
        folder,
        names: () => [...ownHosts(config), ...wildcards(config.region)],
        clock,
        ids,
        onReplaced: (file) => log.warn({ file }, "a new authority: clients have to trust it anew"),
      })
    : givenIdentity(tlsCert, tlsKey);
  const identity = await source.load();
  const certificate = new X509Certificate(identity.certificate);
  warnOfEnd(certificate, clock, log);
  const hosts = own ? ownHosts(config) : certifiedHosts(certificate);
  return {
    identity,
    publicHost: publicHost(config, own ? undefined : certificate, hosts),
    hosts,
    authority: own ? authorityFile(folder) : undefined,
    watch: (use) =>
      watchIdentity({
        source,
        current: identity,
        clock,
        onChange(changed) {
          use(changed);
          const found = new X509Certificate(changed.certificate);
          log.info({ subject: found.subject, validTo: found.validTo }, "another certificate is in use");
          warnOfEnd(found, clock, log);
        },
        onRefused: (error) =>
          log.error(error, "the certificate was not replaced: the former one stays in use"),
      }),
  };
}

function warnOfEnd({ validFrom, validTo }: X509Certificate, clock: Clock, log: PlatformLog): void {
  const now = clock.now();
  if (now < Date.parse(validFrom) || now > Date.parse(validTo))
    log.warn({ validFrom, validTo }, "the certificate is not valid now: clients will refuse it");
}

/** Names and addresses of this host, as far as it listens there. */
function ownHosts({ host, tlsNames }: Config): readonly string[] {
  const given = tlsNames?.split(",") ?? [];
  const name = hostname().toLowerCase();
  const all = [
    ...given,
    ...(isEveryAddress(host) ? addresses() : [host.toLowerCase()]),
    ...(/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(name) ? [name] : []),
    "localhost",
    "127.0.0.1",
    "::1",
  ];
  return [...new Set(all)];
}

/** Host names that begin with a bucket's name or a function URL's id. */
function wildcards(region: string): readonly string[] {
  return ["*.s3.localhost", `*.s3.${region}.localhost`, `*.lambda-url.${region}.localhost`];
}

function isEveryAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Of this host, beyond loopback and single links; IPv4 first. */
function addresses(): readonly string[] {
  const found = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !/^(?:fe80:|169\.254\.)/.test(address));
  return [4, 6].flatMap((family) =>
    found.filter((each) => each.family === `IPv${family}`).map(({ address }) => address),
  );
}

/** The names and addresses of a certificate, without wildcards. */
function certifiedHosts({ subjectAltName = "" }: X509Certificate): readonly string[] {
  return subjectAltName.split(", ").flatMap((entry) => {
    const name = /^(?:DNS|IP Address):([A-Za-z0-9.:-]+)$/.exec(entry)?.[1];
    return name === undefined ? [] : [name.toLowerCase()];
  });
}

/** @param given a certificate of the operator's, which need not be for the address that is listened on */
function publicHost(config: Config, given: X509Certificate | undefined, hosts: readonly string[]): string {
  const [named] = config.tlsNames?.split(",") ?? [];
  if (named !== undefined) return named;
  const { host } = config;
  if (!isEveryAddress(host) && (given === undefined || covers(given, host))) return host;
  return (given === undefined ? addresses()[0] : hosts[0]) ?? "127.0.0.1";
}

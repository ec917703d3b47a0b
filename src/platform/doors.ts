import { type HttpRequest, type HttpResponse, listen, type Listener } from "#server/listener";
import { streamsBody } from "#wire/routing/uploads";
import type { Addresses } from "./addresses.ts";
import { type HostDaemon, openHostDaemon } from "./host-daemon.ts";
import type { Shared } from "./shared.ts";
import type { PlatformTls } from "./tls.ts";

/** The largest request: a 50 MB archive in base64, and room for the rest of its JSON. */
const MAX_BODY_BYTES = 72 * 1024 * 1024;

/** Where the platform is reached from outside. */
export interface Doors {
  readonly listener: Listener;
  readonly hostDaemon: HostDaemon | undefined;
  /** Takes up no other certificate any more. */
  readonly unwatch: (() => void) | undefined;
}

/** @throws OperatorError where an address is in use or may not be bound; none is open then */
export async function openDoors(
  shared: Shared,
  parts: {
    readonly tls: PlatformTls | undefined;
    readonly addresses: Addresses;
    readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
    /** Another limit than that of requests to AWS's operations. */
    readonly bodyLimit: (host: string | undefined, path: string) => number | undefined;
  },
): Promise<Doors> {
  const { config, clock, log } = shared;
  const { tls, addresses, handle, bodyLimit } = parts;
  const listener = await listen({
    host: config.host,
    port: config.port,
    maxBodyBytes: MAX_BODY_BYTES,
    bodyLimit,
    streams: streamsBody,
    handle,
    onError: (error) => log.error(error, "listener"),
    ...(tls === undefined ? {} : { tls: { identity: tls.identity, clock }, publicHost: tls.publicHost }),
  });
  addresses.take(listener, tls?.hosts);
  const unwatch = tls?.watch((identity) => listener.useIdentity(identity));
  const { xrayDaemon } = config;
  if (xrayDaemon === undefined) return { listener, unwatch, hostDaemon: undefined };
  try {
    return { listener, unwatch, hostDaemon: await openHostDaemon(shared, xrayDaemon) };
  } catch (error) {
    unwatch?.();
    await listener.close();
    throw error;
  }
}

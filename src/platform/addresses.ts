import type { Listener } from "#server/listener";

/** The platform's addresses, for what is made before it listens; empty until then. */
export class Addresses {
  /** Its own, which links name. */
  url = "";
  /** Where functions reach it. */
  plainUrl = "";
  /** Its own by each of its names; without TLS it is the one that it tells. */
  publicUrls: readonly string[] = [];

  take({ url, plainUrl }: Listener, hosts: readonly string[] = []): void {
    const others = hosts.map((host) =>
      url.replace(/\/\/.*(?=:\d+$)/, host.includes(":") ? `//[${host}]` : `//${host}`),
    );
    this.url = url;
    this.plainUrl = plainUrl;
    this.publicUrls = [...new Set([url, ...others])];
  }
}

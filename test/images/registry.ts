import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digest } from "./layout.ts";
import type { Layout } from "./layout.ts";

export interface TestRegistry {
  /** `localhost:port`. */
  readonly host: string;
  /** Method and path of all requests so far. */
  readonly requests: string[];
  /** Blobs that are served with other bytes than their names say. */
  readonly spoiled: Set<string>;
  close(): Promise<void>;
}

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Serves a layout as the repository `team/app`, tag `latest` its index, over the distribution API, to who has a token. */
export async function openRegistry(layout: Layout): Promise<TestRegistry> {
  const requests: string[] = [];
  const spoiled = new Set<string>();
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `localhost:${(server.address() as AddressInfo).port}`;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? "";
    requests.push(`${request.method} ${url}`);
    if (url.startsWith("/token?")) {
      const scope = new URL(url, "http://x").searchParams.get("scope");
      return void response.end(JSON.stringify({ token: `for-${scope}` }));
    }
    const [, repository, kind, reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    if (request.headers.authorization !== `Bearer for-repository:${repository}:pull`) {
      const realm = `Bearer realm="http://${host}/token",service="test",scope="repository:${repository}:pull"`;
      return void response.writeHead(401, { "www-authenticate": realm }).end();
    }
    if (repository === "team/secret") return void response.writeHead(403).end();
    if (repository !== "team/app") return void response.writeHead(404).end();
    if (kind === "manifests" && (reference === "latest" || reference === digest(layout.index)))
      return void response.writeHead(200, { "content-type": INDEX }).end(layout.index);
    const bytes = layout.blobs.get(reference);
    if (bytes === undefined) return void response.writeHead(404).end();
    response.writeHead(200, kind === "manifests" ? { "content-type": MANIFEST } : {});
    response.end(spoiled.has(reference) ? Buffer.alloc(bytes.length, 1) : bytes);
  }

  return {
    host,
    requests,
    spoiled,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

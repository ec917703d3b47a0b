import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "#core/clock";
import type { BlobId } from "#storage/blobs";
import { LIMITS } from "./limits.ts";

const PATH = "/_thaw/code/";

/** Links that let whoever holds one download a deployment package for ten minutes, as the presigned ones of GetFunction. */
export interface DownloadLinks {
  /** `baseUrl` is the address that the client used, without a slash at its end. */
  url(baseUrl: string, blob: BlobId): string;
  /** The package that a request may have; undefined where the path is another, or the link is forged or has expired. */
  verify(path: string, query: string): BlobId | undefined;
}

export function createDownloadLinks(options: {
  readonly key: string | Uint8Array;
  readonly clock: Clock;
}): DownloadLinks {
  const { key, clock } = options;
  const sign = (blob: BlobId, expires: string) =>
    createHmac("sha256", key).update(`GET\n${PATH}${blob}\n${expires}`).digest();

  return {
    url(baseUrl, blob) {
      const expires = String(clock.now() + LIMITS.codeLinkMs);
      return `${baseUrl}${PATH}${blob}?expires=${expires}&signature=${sign(blob, expires).toString("hex")}`;
    },

    verify(path, query) {
      if (!path.startsWith(PATH)) return undefined;
      const blob = path.slice(PATH.length);
      if (!/^[0-9a-f]{64}$/.test(blob)) return undefined;
      const parameters = new URLSearchParams(query);
      const expires = parameters.get("expires") ?? "";
      const given = Buffer.from(parameters.get("signature") ?? "", "hex");
      const expected = sign(blob, expires);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      return clock.now() <= Number(expires) ? blob : undefined;
    },
  };
}

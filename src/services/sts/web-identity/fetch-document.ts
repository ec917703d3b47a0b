import { stsErrors } from "../errors.ts";

/** Providers have five seconds to answer. */
const ANSWER_MS = 5000;
const MOST_BYTES = 256 * 1024;

/**
 * A small JSON document of an identity provider. Redirects are not followed: they could lead anywhere.
 * @throws AwsError IDPCommunicationError where it cannot be had, InvalidIdentityToken where it is too large or no JSON
 */
export async function fetchDocument(url: string): Promise<unknown> {
  const bytes = await read(url);
  try {
    return JSON.parse(bytes.toString("utf8")) as unknown;
  } catch {
    throw stsErrors.noKey();
  }
}

async function read(url: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw stsErrors.providerUnreachable();
    }
    for await (const chunk of response.body) {
      length += chunk.length;
      // Leaving the loop ends the transfer.
      if (length > MOST_BYTES) break;
      chunks.push(chunk);
    }
  } catch {
    throw stsErrors.providerUnreachable();
  }
  if (length > MOST_BYTES) throw stsErrors.noKey();
  return Buffer.concat(chunks);
}

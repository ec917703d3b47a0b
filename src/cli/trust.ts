import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { json } from "node:stream/consumers";
import { rootCertificates } from "node:tls";
import { OperatorError } from "#core/errors";
import { type ClientConfig, nodeAuthorities } from "#config/client";

/** So long may the platform say nothing before a command gives it up. */
const SILENCE_MS = 60_000;

/**
 * The authorities of a PEM file beside those that Node.js trusts.
 * @param extra a file of the latter, which Node.js itself ignores where it cannot be read
 * @throws OperatorError where the file cannot be read
 */
export function trusted(caBundle: string, extra = nodeAuthorities()): string[] {
  try {
    return [
      ...rootCertificates,
      ...(extra === undefined ? [] : readIfThere(extra)),
      readFileSync(caBundle, "utf8"),
    ];
  } catch (error) {
    throw new OperatorError(`cannot read the authorities to trust: ${(error as Error).message}`);
  }
}

function readIfThere(file: string): string[] {
  try {
    return [readFileSync(file, "utf8")];
  } catch {
    return [];
  }
}

/**
 * What one of the platform's own addresses answers with; `body` is undefined where it is no JSON.
 * @throws OperatorError where nothing answers, not in time, or it is not to be trusted
 */
export function getJson(
  { endpoint, caBundle }: Pick<ClientConfig, "endpoint" | "caBundle">,
  path: string,
  silenceMs = SILENCE_MS,
): Promise<{ readonly status: number; readonly body: unknown }> {
  const url = new URL(path, endpoint);
  const ca = url.protocol === "https:" && caBundle !== undefined ? { ca: trusted(caBundle) } : {};
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? httpsRequest(url, ca) : httpRequest(url);
    request.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        new OperatorError(
          isDistrust(error) ? distrust(endpoint, error) : `There is no platform at ${endpoint}.`,
        ),
      ),
    );
    request.setTimeout(silenceMs, () => {
      reject(new OperatorError(`${endpoint} has not answered for ${silenceMs / 1000} seconds.`));
      request.destroy();
    });
    request.on("response", (response) => {
      const answered = (body: unknown): void => resolve({ status: response.statusCode ?? 0, body });
      json(response).then(answered, () => answered(undefined));
    });
    request.end();
  });
}

/** Whether it is the server's certificate that a client does not take. */
export function isDistrust({ code }: NodeJS.ErrnoException): boolean {
  return code !== undefined && /CERT|ISSUER|ALTNAME|SIGNED|SIGNATURE/.test(code);
}

/** What to tell of it, and what to do. */
export function distrust(endpoint: string, { message }: Error): string {
  return `${endpoint} is not trusted: ${message}. Name its authority with --ca-bundle FILE (\`thaw up\` tells the file).`;
}

import { Readable } from "node:stream";
import { isLoopback } from "#core/loopback";
import { BadImage, ImageProblem } from "./errors.ts";
import { MEDIA_TYPES } from "./manifest.ts";
import type { ImageReference } from "./reference.ts";
import { digestOf, readDocument } from "./source.ts";
import type { ImageSource } from "./source.ts";

/** A registry that says nothing for so long is gone. */
const ANSWER_MS = 30_000;
const ACCEPT = [...MEDIA_TYPES.manifests, ...MEDIA_TYPES.indexes].join(", ");

/**
 * A registry that speaks the OCI distribution API, with anonymous tokens where it asks for them. Registries on this host
 * may speak plain HTTP, as container engines have it. @param uri as the caller wrote it
 */
export function registrySource(
  uri: string,
  { host, repository, tag, digest }: Extract<ImageReference, { kind: "registry" }>,
): ImageSource {
  const { hostname } = new URL(`http://${host}`);
  const local = hostname === "localhost" || isLoopback(hostname.replace(/^\[|\]$/g, ""));
  const base = `${local ? "http" : "https"}://${host}/v2/${repository}`;
  let authorization: string | undefined;

  async function get(path: string, headers: Readonly<Record<string, string>>): Promise<Response | undefined> {
    let response = await request(`${base}/${path}`, headers);
    if (response.status === 401 && authorization === undefined) {
      const challenge = response.headers.get("www-authenticate") ?? "";
      await response.body?.cancel();
      authorization = await token(challenge);
      response = await request(`${base}/${path}`, headers);
    }
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    if (response.status === 401 || response.status === 403) throw ImageProblem.denied();
    throw ImageProblem.notValid(uri, `the registry answers ${response.status}`);
  }

  async function request(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), ANSWER_MS);
    try {
      // Only until the answer begins: a large layer takes as long as it takes. Redirects to other hosts lose the token.
      return await fetch(url, {
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        signal: timeout.signal,
      });
    } catch {
      throw ImageProblem.notValid(uri, "the registry cannot be reached");
    } finally {
      clearTimeout(timer);
    }
  }

  /** "Token Authentication Specification" of the distribution project, for nobody in particular. */
  async function token(challenge: string): Promise<string> {
    const parts = Object.fromEntries(
      [...challenge.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
    );
    if (!/^bearer /i.test(challenge) || parts["realm"] === undefined || !URL.canParse(parts["realm"]))
      throw ImageProblem.denied();
    const realm = new URL(parts["realm"]);
    if (realm.protocol !== "https:" && !(local && realm.protocol === "http:" && isLocal(realm)))
      throw ImageProblem.denied();
    if (parts["service"] !== undefined) realm.searchParams.set("service", parts["service"]);
    realm.searchParams.set("scope", parts["scope"] ?? `repository:${repository}:pull`);
    const response = await request(realm.href, {});
    if (!response.ok || response.body === null) throw ImageProblem.denied();
    const said = JSON.parse((await readDocument(readable(response))).toString("utf8")) as Record<
      string,
      unknown
    >;
    const given = said["token"] ?? said["access_token"];
    if (typeof given !== "string" || !/^[\x21-\x7e]+$/.test(given)) throw ImageProblem.denied();
    return `Bearer ${given}`;
  }

  async function manifest(reference: string): Promise<Buffer | undefined> {
    const response = await get(`manifests/${reference}`, { accept: ACCEPT });
    return response === undefined ? undefined : readDocument(readable(response));
  }

  return {
    async root() {
      const bytes = await manifest(digest ?? tag);
      if (bytes !== undefined && digest !== undefined && digestOf(bytes) !== digest)
        throw new BadImage("broken", `${digest} has other bytes`);
      return bytes === undefined ? undefined : { bytes, tag: undefined };
    },
    manifest,
    async blob(of) {
      const response = await get(`blobs/${of}`, {});
      return response === undefined ? undefined : readable(response);
    },
    resolvedUri: (of) => `${host}/${repository}@${of}`,
  };
}

function isLocal({ hostname }: URL): boolean {
  return hostname === "localhost" || isLoopback(hostname.replace(/^\[|\]$/g, ""));
}

function readable({ body }: Response): Readable {
  return body === null ? Readable.from([]) : Readable.fromWeb(body);
}

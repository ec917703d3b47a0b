import { createHash, createPrivateKey, generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import { makeCertificate } from "#core/x509/certificate";
import type { DocumentKey, Documents } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Signature } from "../message/notification.ts";

/** One key and one certificate for all topics of a data folder, as AWS has one for a region. */
interface Identity {
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly certificate: string;
  /** `SimpleNotificationService-<hex>.pem`, as AWS names its own. */
  readonly file: string;
}

interface StoredIdentity {
  /** PKCS #8 in PEM. */
  readonly privateKey: string;
  readonly certificate: string;
}

const KEY: DocumentKey = ["platform", "global", "sns-signing"];
const DAYS = 3650;

const makeKeyPair = promisify(generateKeyPair);
const signInThread = promisify<string, Buffer, KeyObject, Buffer>(sign);

/** Signs what leaves, so that the validators of AWS's clients accept it. */
export interface Signer {
  /** @param text what `signedText` made of the message */
  sign(text: string, version: Signature["version"]): Promise<Signature>;
  /** The certificate behind a path such as `/SimpleNotificationService-….pem`; undefined for every other path. */
  certificate(path: string): Promise<string> | undefined;
  /** Forgets the identity, after the storage was emptied. */
  reset(): void;
}

export function createSigner(options: {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The platform's own address. */
  readonly url: () => string;
}): Signer {
  const { documents, clock, ids, url } = options;
  let known: Promise<Identity> | undefined;
  const identity = (): Promise<Identity> => {
    known ??= loadIdentity(documents, clock, ids).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return {
    async sign(text, version) {
      const { privateKey, file } = await identity();
      const value = await signInThread(version === "1" ? "sha1" : "sha256", Buffer.from(text), privateKey);
      return { version, value: value.toString("base64"), certificateUrl: `${url()}/${file}` };
    },
    certificate(path) {
      if (!/^\/SimpleNotificationService-[0-9a-f]{32}\.pem$/u.test(path)) return undefined;
      return identity().then(({ file, certificate }) => (path === `/${file}` ? certificate : ""));
    },
    reset() {
      known = undefined;
    },
  };
}

async function loadIdentity(documents: Documents, clock: Clock, ids: Ids): Promise<Identity> {
  const stored = documents.get<StoredIdentity>(KEY)?.value;
  if (stored !== undefined) return identityOf(stored);
  const { privateKey, publicKey } = await makeKeyPair("rsa", { modulusLength: 2048 });
  const commonName = "sns.amazonaws.com";
  const certificate = makeCertificate({
    commonName,
    publicKey,
    issuer: { commonName, privateKey, publicKey },
    use: "signing",
    names: [commonName, "localhost"],
    serial: Buffer.from(ids.hex(32), "hex"),
    from: clock.now(),
    days: DAYS,
  });
  const made: StoredIdentity = {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate,
  };
  try {
    await documents.commit([{ key: KEY, value: made, expected: 0 }]);
    return identityOf(made);
  } catch (error) {
    if (error instanceof RevisionConflict) return loadIdentity(documents, clock, ids);
    throw error;
  }
}

function identityOf({ privateKey, certificate }: StoredIdentity): Identity {
  const hash = createHash("sha256").update(certificate).digest("hex").slice(0, 32);
  return {
    privateKey: createPrivateKey(privateKey),
    certificate,
    file: `SimpleNotificationService-${hash}.pem`,
  };
}

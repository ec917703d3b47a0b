import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { OperatorError } from "#core/errors";

/** What a TLS server shows and proves. */
export interface TlsIdentity {
  /** The server's certificate and those between it and a root, as PEM. */
  readonly certificate: string;
  /** As PEM, not encrypted. */
  readonly privateKey: string;
}

/** Where a listener's certificate comes from. */
export interface TlsSource {
  /**
   * The certificate of this moment.
   * @throws OperatorError where there is none that can be used
   */
  load(): Promise<TlsIdentity>;
  /** How long to wait before looking again whether there is another one. */
  readonly lookEveryMs: number;
}

/** Reads a certificate that somebody else keeps, so that a renewed one is taken up soon. */
export function givenIdentity(certificateFile: string, keyFile: string): TlsSource {
  return {
    lookEveryMs: 5000,
    async load() {
      const certificate = await read("--tls-cert", certificateFile);
      const privateKey = await read("--tls-key", keyFile);
      const leaf = parsed(
        "--tls-cert",
        certificateFile,
        "certificate",
        () => new X509Certificate(certificate),
      );
      // OpenSSL would ask for a passphrase, and there is nobody to give one.
      if (privateKey.includes("ENCRYPTED"))
        throw new OperatorError(`--tls-key: ${keyFile} is encrypted: give a key without a passphrase`);
      const key = parsed("--tls-key", keyFile, "private key", () => createPrivateKey(privateKey));
      if (!leaf.checkPrivateKey(key))
        throw new OperatorError(
          `--tls-key: ${keyFile} is not the key of the certificate in ${certificateFile}`,
        );
      return { certificate, privateKey };
    },
  };
}

async function read(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new OperatorError(`${flag}: cannot read ${file}: ${(error as Error).message}`);
  }
}

function parsed<T>(flag: string, file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    // What OpenSSL says of it names its own functions, and nothing of the file.
    throw new OperatorError(`${flag}: ${file} holds no ${what} in PEM`);
  }
}

import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { type Issuer, makeCertificate } from "#core/x509/certificate";
import { getJson } from "./trust.ts";

const folder = mkdtempSync(join(tmpdir(), "trust-"));
const servers: Server[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const common = { serial: Buffer.from([1]), from: Date.now(), days: 1 };

/** An authority of the name, and its certificate in a file. */
function authority(commonName: string): { readonly issuer: Issuer; readonly file: string } {
  const issuer = { commonName, ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
  const file = join(folder, `${commonName}.pem`);
  writeFileSync(file, makeCertificate({ ...issuer, issuer, use: "authority", names: [], ...common }));
  return { issuer, file };
}

describe("a platform's own address", () => {
  it("is trusted by the authorities that are named and by those that Node.js is told of", async () => {
    const [own, extra] = [authority("own"), authority("extra")];
    const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { issuer } = extra;
    const names = ["localhost"];
    const cert = makeCertificate({ ...keys, commonName: "server", issuer, use: "server", names, ...common });
    const key = keys.privateKey.export({ type: "pkcs8", format: "pem" });
    const port = await listening(createTlsServer({ cert, key }, (_request, response) => response.end("[1]")));
    const at = { endpoint: `https://localhost:${port}`, caBundle: own.file };
    vi.stubEnv("NODE_EXTRA_CA_CERTS", join(folder, "missing.pem"));
    await expect(getJson(at, "/")).rejects.toThrow("is not trusted");
    vi.stubEnv("NODE_EXTRA_CA_CERTS", extra.file);
    expect(await getJson(at, "/")).toEqual({ status: 200, body: [1] });
  });

  it.each([
    ["does not answer", () => undefined],
    [
      "begins to answer and goes no further",
      (response: { write(text: string): unknown }) => response.write("["),
    ],
  ])("is given up where it %s", async (_what, answer) => {
    const port = await listening(createServer((_request, response) => void answer(response)));
    await expect(getJson({ endpoint: `http://127.0.0.1:${port}` }, "/", 20)).rejects.toThrow(
      `http://127.0.0.1:${port} has not answered for 0.02 seconds.`,
    );
  });
});

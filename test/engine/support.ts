import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import type { CodePackage, FunctionSpec, Invocation, LogLine } from "#engine/contract";
import { createEngine } from "#engine/engine";
import type { LocalEngine } from "#engine/engine";
import type { EngineOptions } from "#engine/options";
import type { Blobs } from "#storage/blobs";
import { zip } from "./zip.ts";
import type { ZipEntry } from "./zip.ts";

export interface Bench {
  readonly engine: LocalEngine;
  readonly folder: string;
  readonly lines: LogLine[];
  package(entries: readonly ZipEntry[]): Promise<CodePackage>;
  spec(files: Readonly<Record<string, string>>, overrides?: Partial<FunctionSpec>): Promise<FunctionSpec>;
  invoke(spec: FunctionSpec, event?: unknown, overrides?: Partial<Invocation>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly payload: unknown;
  readonly functionError: string | undefined;
  readonly tail: string | undefined;
  readonly requestId: string;
}

/** Blobs as plain files: the code store needs their path alone. */
function fileBlobs(folder: string): Pick<Blobs, "path"> {
  return { path: async (id) => join(folder, id) };
}

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** A real engine over a folder of its own. */
export async function openBench(options: Partial<EngineOptions> = {}): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "thaw-engine-"));
  const lines: LogLine[] = [];
  const engine = await createEngine({
    folder,
    blobs: fileBlobs(folder) as Blobs,
    clock: systemClock,
    ids: systemIds,
    log: { write: (line) => lines.push(line) },
    credentials: {
      forFunction: () => ({ accessKeyId: "ASIAEXAMPLE", secretAccessKey: "secret", sessionToken: "token" }),
    },
    endpointUrl: () => "http://127.0.0.1:4566",
    guestFolder: join(root, "guest"),
    nodeModulesFolder: join(root, "node_modules"),
    path: process.env["PATH"] ?? "",
    ...options,
  });
  const pack = async (entries: readonly ZipEntry[]): Promise<CodePackage> => {
    const bytes = zip(entries);
    const hash = createHash("sha256").update(bytes);
    const blob = hash.copy().digest("hex");
    await writeFile(join(folder, blob), bytes);
    return { blob, sha256: hash.digest("base64"), bytes: bytes.length };
  };
  return {
    engine,
    folder,
    lines,
    package: pack,
    spec: async (files, overrides = {}) => {
      const name = overrides.name ?? "hello";
      return {
        id: randomBytes(8).toString("hex"),
        account: "000000000000",
        region: "us-east-1",
        name,
        version: "$LATEST",
        arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
        runtime: "nodejs20.x",
        handler: "index.handler",
        code: await pack(Object.entries(files).map(([file, data]) => ({ name: file, data }))),
        layers: [],
        memoryMb: 256,
        timeoutMs: 10_000,
        ephemeralStorageMb: 512,
        architecture: "x86_64",
        environment: {},
        roleArn: "arn:aws:iam::000000000000:role/r",
        tracing: "PassThrough",
        logging: {
          group: `/aws/lambda/${name}`,
          format: "Text",
          applicationLevel: undefined,
          systemLevel: undefined,
        },
        ...overrides,
      };
    },
    invoke: async (spec, event = {}, overrides = {}) => {
      const requestId = systemIds.uuid();
      const result = await engine.invoke({
        spec,
        requestId,
        invokedArn: spec.arn,
        payload: Buffer.from(JSON.stringify(event)),
        clientContext: undefined,
        traceHeader: undefined,
        tail: true,
        ...overrides,
      });
      return {
        payload:
          result.payload.length === 0
            ? undefined
            : (JSON.parse(Buffer.from(result.payload).toString()) as unknown),
        functionError: result.functionError,
        tail: result.logTail === undefined ? undefined : Buffer.from(result.logTail).toString(),
        requestId,
      };
    },
    close: async () => {
      await engine.close(5000);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

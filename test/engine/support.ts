import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32, deflateRawSync } from "node:zlib";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import type { CodePackage, FunctionSpec, Invocation, LogLine } from "#engine/contract";
import { createEngine } from "#engine/engine";
import type { EngineOptions, LocalEngine } from "#engine/engine";
import type { Blobs } from "#storage/blobs";

export interface ZipEntry {
  readonly name: string;
  readonly data?: string | Uint8Array;
  /** Unix mode with its type bits; a plain file by default. */
  readonly mode?: number;
  /** What the headers say the size is, where they lie. */
  readonly declaredSize?: number;
}

/** Writes a zip archive by hand, so that it may hold what no zip tool writes. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const data = Buffer.from(entry.data ?? "");
    const name = Buffer.from(entry.name);
    const packed = deflateRawSync(data);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(0, 6);
    common.writeUInt16LE(0x5a21, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(entry.declaredSize ?? data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), common, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    const central = Buffer.concat([
      Buffer.from("PK\u0001\u0002", "latin1"),
      Buffer.from([20, 3]),
      common,
      tail,
      name,
    ]);
    files.push(local);
    directory.push(central);
    offset += local.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, list, end]);
}

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
        payload: JSON.parse(Buffer.from(result.payload).toString()) as unknown,
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

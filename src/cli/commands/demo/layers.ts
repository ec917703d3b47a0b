import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { z } from "zod";
import { filesBelow, zipFiles } from "./zip.ts";

const execute = promisify(execFile);

/** Where an example's layer comes from. */
export const layerDescription = z.union([
  /** `python` in another folder of the guide's. */
  z.strictObject({ name: z.string(), folder: z.string() }),
  /** Python packages of the host: the first must be there, of those that it may depend on what there is. */
  z.strictObject({ name: z.string(), hostPackages: z.tuple([z.string()], z.string()) }),
]);

export type LayerDescription = z.infer<typeof layerDescription>;

export interface Layer {
  readonly name: string;
  readonly zip: Buffer;
  /** The only runtime that the layer's packages are made for, such as `python3.11`; undefined where any will do. */
  readonly runtime: string | undefined;
}

/**
 * Packs a layer of an example.
 * @param guide the folder that holds the examples' folders
 * @returns the name of the package that the host lacks, where it lacks it
 */
export async function packLayer(guide: string, description: LayerDescription): Promise<Layer | string> {
  const { name } = description;
  if ("folder" in description) {
    const files = await filesBelow(join(guide, description.folder, "python"), "python");
    return { name, zip: await zipFiles(files), runtime: undefined };
  }
  const host = await findPackages(description.hostPackages);
  if (host === undefined) return description.hostPackages[0];
  const files = new Map<string, string>();
  for (const [module, path] of host.paths)
    for (const each of await filesBelow(path, `python/${module}`)) files.set(...each);
  return { name, zip: await zipFiles(files), runtime: host.runtime };
}

/** Prints the version of the Python that runs it and where it has the packages that are its arguments, as JSON. */
const FIND = `import importlib.util, json, sys
specs = [(name, importlib.util.find_spec(name)) for name in sys.argv[1:]]
paths = [(name, spec.submodule_search_locations[0]) for name, spec in specs if spec and spec.submodule_search_locations]
print(json.dumps({"runtime": "python%d.%d" % sys.version_info[:2], "paths": paths}))`;

const packages = z.object({ runtime: z.string(), paths: z.array(z.tuple([z.string(), z.string()])) });

/** The packages of the first Python that has the first of them: the user's own, or the system's. */
async function findPackages(names: readonly string[]): Promise<z.infer<typeof packages> | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    // A Python that cannot be started has no packages.
    const answer = await execute(python, ["-c", FIND, ...names]).catch(() => undefined);
    const found = answer === undefined ? undefined : packages.parse(JSON.parse(answer.stdout));
    if (found?.paths[0]?.[0] === names[0]) return found;
  }
  return undefined;
}

/** Publishes a layer, unless its newest version has the same bytes. Resolves with the version's ARN. */
export async function publishLayer(client: LambdaClient, { name, zip, runtime }: Layer): Promise<string> {
  const sdk = await import("@aws-sdk/client-lambda");
  const { LayerVersions: [newest] = [] } = await client.send(
    new sdk.ListLayerVersionsCommand({ LayerName: name, MaxItems: 1 }),
  );
  if (newest?.LayerVersionArn !== undefined) {
    const { Content } = await client.send(
      new sdk.GetLayerVersionByArnCommand({ Arn: newest.LayerVersionArn }),
    );
    if (Content?.CodeSha256 === createHash("sha256").update(zip).digest("base64"))
      return newest.LayerVersionArn;
  }
  const { LayerVersionArn } = await client.send(
    new sdk.PublishLayerVersionCommand({
      LayerName: name,
      Content: { ZipFile: zip },
      ...(runtime === undefined ? {} : { CompatibleRuntimes: [runtime as "python3.11"] }),
    }),
  );
  if (LayerVersionArn === undefined) throw new Error(`the layer ${name} was published without an ARN`);
  return LayerVersionArn;
}

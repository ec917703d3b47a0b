import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { layerDescription } from "./layers.ts";
import { zipFiles } from "./zip.ts";

/** What tells of a folder that it holds a function, and how that is deployed and invoked. */
const DESCRIPTION = "function.json";

const description = z.strictObject({
  name: z.string(),
  about: z.string(),
  language: z.enum(["nodejs", "python"]),
  handler: z.string(),
  timeout: z.number().int().optional(),
  layers: z.array(layerDescription).default([]),
  event: z.json(),
  /** The errorType that the example is there to show. */
  fails: z.string().optional(),
  /** A package that the runtime brings on AWS, and here where the host has it. */
  needs: z.string().optional(),
});

export type Example = z.infer<typeof description> & { readonly folder: string };

/** The examples under a folder that are functions, in the order of their folders' names. */
export async function readExamples(folder: string): Promise<Example[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  const functions = folders.filter((path) => existsSync(join(path, DESCRIPTION)));
  return Promise.all(
    functions.sort().map(async (path) => {
      const text = await readFile(join(path, DESCRIPTION), "utf8");
      return { ...description.parse(JSON.parse(text)), folder: path };
    }),
  );
}

/** A zip archive of the example's code. */
export async function zipExample(example: Example): Promise<Buffer> {
  const names = (await readdir(example.folder)).filter((name) => name !== DESCRIPTION);
  return zipFiles(new Map(names.map((name) => [name, join(example.folder, name)])));
}

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ZipFile } from "yazl";
import { buffer } from "node:stream/consumers";
import { z } from "zod";

const description = z.strictObject({
  name: z.string(),
  about: z.string(),
  language: z.enum(["nodejs", "python"]),
  handler: z.string(),
  timeout: z.number().int().optional(),
  event: z.json(),
  /** The errorType that the example is there to show. */
  fails: z.string().optional(),
  /** A package that the runtime brings on AWS, and here where the host has it. */
  needs: z.string().optional(),
});

export type Example = z.infer<typeof description> & { readonly folder: string };

/** The examples under a folder, in the order of their folders' names. */
export async function readExamples(folder: string): Promise<Example[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  return Promise.all(
    folders.sort().map(async (path) => {
      const text = await readFile(join(path, "function.json"), "utf8");
      return { ...description.parse(JSON.parse(text)), folder: path };
    }),
  );
}

/** A zip archive of the example's code. The same files give the same bytes, so that nothing is deployed twice. */
export async function zipExample(example: Example): Promise<Buffer> {
  const zip = new ZipFile();
  const names = (await readdir(example.folder)).filter((name) => name !== "function.json").sort();
  for (const name of names)
    zip.addBuffer(await readFile(join(example.folder, name)), name, { mtime: new Date(0), mode: 0o100644 });
  zip.end();
  return buffer(zip.outputStream);
}

import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import type { FunctionSpec } from "#engine/contract";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { findOciRuntime } from "#engine/sandbox/oci/runtime";
import { openSandbox } from "#engine/sandbox/open";
import { LocalBlobs } from "#storage/local/blobs";
import { openBench } from "../engine/support.ts";
import type { Bench } from "../engine/support.ts";
import { ensureBuilt } from "../support/built.ts";
import { buildLayout, writeLayout } from "./layout.ts";
import type { LayerEntry, TestImage } from "./layout.ts";
import { shellImage } from "./shell-image.ts";

const usable = (await bubblewrapUsable()).usable && existsSync("/bin/busybox");
const oci = await findOciRuntime().then(
  () => true,
  () => false,
);

for (const [kind, there] of [
  ["bubblewrap", usable],
  ["oci", usable && oci],
] as const)
  describe.skipIf(!there)(`functions of images in ${kind}`, () => {
    let bench: Bench;
    let scratch: string;
    beforeAll(async () => {
      const dist = await ensureBuilt();
      scratch = mkdtempSync(join(tmpdir(), "thaw-image-functions-"));
      mkdirSync(join(scratch, "images"));
      const { backend } = await openSandbox({
        sandbox: kind,
        network: { mode: "none", localNetwork: "deny" },
        folder: join(scratch, "sandboxes"),
        instance: scratch,
        clock: systemClock,
        ids: systemIds,
        spawnerScript: join(dist, "spawner-main.js"),
      });
      bench = await openBench({
        backend,
        blobs: await LocalBlobs.open(join(scratch, "blobs"), systemIds),
        imagesFolder: join(scratch, "images"),
      });
    });
    afterAll(async () => {
      await bench.close();
      rmSync(scratch, { recursive: true, force: true });
    });

    let count = 0;
    async function deploy(image: TestImage, overrides: Partial<FunctionSpec> = {}): Promise<FunctionSpec> {
      const name = `image${++count}`;
      writeLayout(join(scratch, "images", name), await buildLayout([image]));
      const code = await bench.engine.resolveImage(`oci:${name}`, "x86_64");
      const unpackable = { runtime: "", handler: "", name, code, ...overrides };
      return { ...(await bench.spec({})), ...unpackable };
    }

    const logged = (): string => bench.lines.map(({ message }) => message).join("");

    it("run their entry point with their command, in their folder, as AWS's user, in their own files", async () => {
      const spec = await deploy(shellImage(), { environment: { REPLACED: "by function", NEW: "1" } });
      const { payload } = await bench.invoke(spec, "pwd; cat data; id -u; ls /; touch /x /tmp/y && echo no");
      expect(payload).toMatch(/^\/srv\|data(?:993|0)\|/);
      expect(payload).toContain("Read-only file system");
      expect(payload).not.toMatch(/\bno\||home|root\|/);
      expect(logged()).toContain("began as /srv/runtime one two\n");
      const { payload: variables } = await bench.invoke(spec, "env");
      for (const each of ["OWN=mine", "REPLACED=by function", "NEW=1", "AWS_REGION=us-east-1", "PATH=/bin"])
        expect(`|${String(variables)}`).toContain(`|${each}|`);
      for (const none of ["_HANDLER", "AWS_EXECUTION_ENV", "LD_LIBRARY_PATH"])
        expect(variables).not.toContain(`${none}=`);
    });

    it("reach none of the host's files, and see no process but their own", async () => {
      const spec = await deploy(shellImage());
      const { payload } = await bench.invoke(spec, "cat /etc/shadow; ls /usr; ps");
      expect(String(payload).match(/No such file/g)).toHaveLength(2);
      expect(String(payload).split("|").length).toBeLessThan(20);
      expect(payload).not.toContain("node");
    });

    it("obey ImageConfig", async () => {
      const spec = await deploy(shellImage(), {
        imageConfig: { entryPoint: ["runtime"], command: ["three"], workingDirectory: "/bin" },
      });
      expect((await bench.invoke(spec, "pwd")).payload).toMatchObject({
        errorType: "Runtime.InvalidEntrypoint",
        errorMessage: expect.stringContaining(
          'exec: "runtime": executable file not found in $PATH',
        ) as string,
      });
      const found = { ...spec, id: "found", environment: { PATH: "/srv:/bin" } };
      expect((await bench.invoke(found, "pwd")).payload).toBe("/bin|");
      expect(logged()).toContain("began as /srv/runtime three\n");
      const other = await deploy(shellImage(), {
        imageConfig: { entryPoint: ["/srv/runtime"], command: undefined, workingDirectory: "/bin" },
      });
      expect((await bench.invoke(other, "pwd")).payload).toBe("/bin|");
      expect(logged()).toContain("began as /srv/runtime \n");
    });

    it.each<[string, string, Partial<TestImage>]>([
      [
        "Runtime.InvalidEntrypoint",
        "fork/exec /nothing: no such file or directory",
        { config: { Cmd: ["/nothing"] } },
      ],
      [
        "Runtime.InvalidEntrypoint",
        "fork/exec /srv/data: permission denied",
        { config: { Cmd: ["/srv/data"] } },
      ],
      ["Runtime.InvalidEntrypoint", "exec format error", { architecture: "arm64" }],
      [
        "Runtime.InvalidWorkingDir",
        "chdir /none",
        { config: { Cmd: ["/srv/runtime"], WorkingDir: "/none" } },
      ],
    ])("that cannot be run tell %s, %s", async (errorType, message, change) => {
      const image = shellImage();
      const data: LayerEntry[] = [{ name: "srv/data", data: "x", mode: 0o644 }];
      const spec = await deploy({ ...image, ...change, layers: [...image.layers, data] });
      const { payload, functionError } = await bench.invoke(spec, "");
      expect(functionError).toBe("Unhandled");
      expect(payload).toMatchObject({
        errorType,
        errorMessage: expect.stringContaining(message) as string,
      });
    });
  });

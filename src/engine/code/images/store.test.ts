import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { lstatSync, readlinkSync, existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemIds } from "#core/ids";
import { LocalBlobs } from "#storage/local/blobs";
import { buildLayout, layoutFiles, tarOf, writeLayout } from "../../../../test/images/layout.ts";
import type { LayerEntry, Layout, TestImage } from "../../../../test/images/layout.ts";
import { openRegistry } from "../../../../test/images/registry.ts";
import { ImageProblem } from "./errors.ts";
import { ImageStore } from "./store.ts";

let folder: string;
let store: ImageStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "thaw-images-"));
  mkdirSync(join(folder, "images"));
  store = new ImageStore({
    folder: join(folder, "roots"),
    blobs: await LocalBlobs.open(join(folder, "blobs"), systemIds),
    ids: systemIds,
    imagesFolder: join(folder, "images"),
  });
  await store.clean();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const HELLO: TestImage = {
  layers: [[{ name: "hello", data: "hello" }]],
  config: { Entrypoint: ["/hello"], Cmd: ["a"], Env: ["A=1"], WorkingDir: "/srv" },
};

async function write(images: readonly TestImage[], name = "app"): Promise<Layout> {
  const layout = await buildLayout(images);
  writeLayout(join(folder, "images", name), layout);
  return layout;
}

async function problemOf(uri: string): Promise<{ code: string; message: string; reason: string }> {
  try {
    await store.prepare(await store.resolve(uri, "x86_64"));
  } catch (error) {
    if (!(error instanceof ImageProblem)) throw error;
    return { code: error.code, message: error.message, reason: error.reasonCode };
  }
  throw new Error("expected an ImageProblem");
}

/** The root file system of an image of these layers. */
async function unpacked(...layers: readonly (readonly LayerEntry[])[]): Promise<string> {
  await write([{ layers }], "layers");
  const { root } = await store.prepare(await store.resolve("oci:layers", "x86_64"));
  return root;
}

const read = (root: string, name: string): string => readFileSync(join(root, name), "utf8");

describe("images on disk", () => {
  it("are named by their digests and unpacked once", async () => {
    const { digests } = await write([HELLO]);
    const code = await store.resolve("oci:app", "x86_64");
    const hex = digests[0]?.slice("sha256:".length);
    expect(code).toMatchObject({ blob: hex, sha256: hex });
    expect(code.image).toEqual({ uri: "oci:app", resolvedUri: `oci:app@${digests[0]}` });
    const [one, two] = await Promise.all([store.prepare(code), store.prepare(code)]);
    expect(one.root).toBe(two.root);
    expect(read(one.root, "hello")).toBe("hello");
    expect(one.config).toMatchObject({ entryPoint: ["/hello"], command: ["a"], workingDirectory: "/srv" });
  });

  it("stay what they are when the layout changes", async () => {
    await write([HELLO]);
    const code = await store.resolve("oci:app", "x86_64");
    await store.prepare(code);
    rmSync(join(folder, "images/app"), { recursive: true });
    await write([{ layers: [[{ name: "other" }]] }]);
    expect(read((await store.prepare(code)).root, "hello")).toBe("hello");
    expect((await store.resolve("oci:app", "x86_64")).blob).not.toBe(code.blob);
  });

  it("are chosen by tag and architecture", async () => {
    const both = (["amd64", "arm64"] as const).flatMap((architecture) =>
      ["one", "two"].map((tag): TestImage => ({ ...HELLO, architecture, tag, config: { Cmd: [tag] } })),
    );
    const { digests } = await write(both);
    expect((await store.resolve("oci:app:two", "x86_64")).image?.resolvedUri).toContain(digests[1]);
    expect((await store.resolve("oci:app:one", "arm64")).image?.resolvedUri).toContain(digests[2]);
    expect(await problemOf("oci:app:three")).toMatchObject({ reason: "ImageDeleted" });
  });

  it("come from archives of layouts and of docker save", async () => {
    const layout = await buildLayout([HELLO]);
    const files = [...layoutFiles(layout)].map(([name, data]) => ({ name, data }));
    writeFileSync(join(folder, "images/layout.tar"), await tarOf(files));
    const layer = await tarOf(HELLO.layers[0] ?? []);
    const config = [...layout.blobs.values()].find((bytes) => bytes.includes("diff_ids"));
    const manifest = [{ Config: "c.json", RepoTags: ["app:v1"], Layers: ["1/layer.tar"] }];
    const saved = [
      { name: "c.json", data: config },
      { name: "1/layer.tar", data: layer },
      { name: "manifest.json", data: JSON.stringify(manifest) },
    ] as LayerEntry[];
    writeFileSync(join(folder, "images/saved.tar"), await tarOf(saved));
    for (const uri of ["oci-archive:layout.tar", "docker-archive:saved.tar:v1", "oci-archive:saved.tar"]) {
      const { root } = await store.prepare(await store.resolve(uri, "x86_64"));
      expect(read(root, "hello"), uri).toBe("hello");
    }
    expect(await problemOf("docker-archive:saved.tar:v2")).toMatchObject({ reason: "ImageDeleted" });
  });

  it.each(["oci:../outside", "oci:/etc", "oci:link", "oci-archive:/etc/passwd", "oci:nowhere"])(
    "are not read as %s, out of the operator's folder",
    async (uri) => {
      writeLayout(join(folder, "outside"), await buildLayout([HELLO]));
      symlinkSync(join(folder, "outside"), join(folder, "images/link"));
      expect(await problemOf(uri)).toEqual({
        code: "InvalidParameterValueException",
        message: `Source image ${uri} does not exist. Provide a valid source image.`,
        reason: "ImageDeleted",
      });
    },
  );

  it("do not read a blob through a link that leaves the folder", async () => {
    const { digests } = await write([HELLO]);
    const path = join(folder, "images/app/blobs", (digests[0] ?? "").replace(":", "/"));
    const bytes = readFileSync(path);
    rmSync(path);
    writeFileSync(join(folder, "manifest"), bytes);
    symlinkSync(join(folder, "manifest"), path);
    expect(await problemOf("oci:app")).toMatchObject({ reason: "ImageDeleted" });
  });

  it.each([
    "",
    "app",
    "library/app:1",
    "oci:",
    "UPPER.example/App",
    "host.example/a@sha256:12",
    "http://a.b/c",
  ])("are refused as %j", async (uri) =>
    expect((await problemOf(uri)).message).toBe(
      `Source image ${uri} is not valid. Provide a valid source image.`,
    ),
  );
});

describe("layers", () => {
  it("hide and replace what lies below", async () => {
    const root = await unpacked(
      [
        { name: "a/one", data: "1" },
        { name: "a/two", data: "2" },
        { name: "b/old", data: "old" },
        { name: "c/deep/file", data: "x" },
        { name: "d", data: "file" },
      ],
      [
        { name: "a/.wh.one" },
        { name: "b/new", data: "new" },
        { name: "b/.wh..wh..opq" },
        { name: ".wh.c" },
        { name: "d/inside", data: "folder now" },
      ],
    );
    expect(existsSync(join(root, "a/one"))).toBe(false);
    expect(read(root, "a/two")).toBe("2");
    expect([existsSync(join(root, "b/old")), read(root, "b/new")]).toEqual([false, "new"]);
    expect(existsSync(join(root, "c"))).toBe(false);
    expect(read(root, "d/inside")).toBe("folder now");
    expect(existsSync(join(root, "a/.wh.one"))).toBe(false);
  });

  it("follow the image's own links, never the host's", async () => {
    const outside = join(folder, "outside");
    mkdirSync(outside);
    const root = await unpacked(
      [
        { name: "usr/lib/" },
        { name: "lib", type: "symlink", linkname: "usr/lib" },
        { name: "host", type: "symlink", linkname: outside },
        { name: "up", type: "symlink", linkname: "../../../../../../../../../../../tmp" },
      ],
      [
        { name: "lib/x.so", data: "so" },
        { name: "host/evil", data: "no" },
        { name: "up/evil", data: "no" },
      ],
    );
    expect(read(root, "usr/lib/x.so")).toBe("so");
    expect(readlinkSync(join(root, "lib"))).toBe("usr/lib");
    expect(existsSync(join(outside, "evil"))).toBe(false);
    expect(read(root, join(outside, "evil"))).toBe("no");
    expect(existsSync("/tmp/evil")).toBe(false);
    expect(read(root, "tmp/evil")).toBe("no");
  });

  it("keep hard links and modes, without privileges or devices", async () => {
    const root = await unpacked([
      { name: "bin/tool", data: "t", mode: 0o4755 },
      { name: "bin/same", type: "link", linkname: "bin/tool" },
      { name: "secret", data: "s", mode: 0o600 },
      { name: "dev/sda", type: "block-device", devmajor: 8, devminor: 0 },
      { name: "pipe", type: "fifo" },
    ]);
    expect(lstatSync(join(root, "bin/same")).ino).toBe(lstatSync(join(root, "bin/tool")).ino);
    expect(lstatSync(join(root, "bin/tool")).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(root, "secret")).mode & 0o777).toBe(0o600);
    expect(existsSync(join(root, "dev/sda"))).toBe(false);
    expect(existsSync(join(root, "pipe"))).toBe(false);
  });

  it("have real folders to mount over, whatever the image put there", async () => {
    const root = await unpacked([
      { name: "proc", type: "symlink", linkname: "/oldroot/etc" },
      { name: "tmp", data: "a file" },
      { name: "etc/resolv.conf", type: "symlink", linkname: "../run/resolv.conf" },
    ]);
    for (const name of ["proc", "tmp", "dev"]) expect(lstatSync(join(root, name)).isDirectory()).toBe(true);
    for (const name of ["etc/hosts", "etc/resolv.conf"])
      expect(lstatSync(join(root, name)).isFile()).toBe(true);
  });

  it.each<[string, LayerEntry]>([
    ["a name that climbs", { name: "../evil", data: "x" }],
    ["a hard link that climbs", { name: "x", type: "link", linkname: "../../etc/passwd" }],
    ["a hard link to nothing", { name: "x", type: "link", linkname: "not/there" }],
    ["a link in a circle", { name: "loop/x", data: "x" }],
  ])("are refused for %s", async (_, entry) => {
    await write([{ layers: [[{ name: "loop", type: "symlink", linkname: "loop" }, entry]] }]);
    expect(await problemOf("oci:app")).toMatchObject({ reason: "InvalidImage" });
    expect(existsSync(join(folder, "roots/evil"))).toBe(false);
  });

  it("are refused where they are not those of the configuration", async () => {
    const layout = await buildLayout([HELLO]);
    const spoilt = [...layout.blobs].find(([, bytes]) => bytes.readUInt16BE(0) === 0x1f8b);
    layout.blobs.set(spoilt?.[0] ?? "", Buffer.from("other"));
    writeLayout(join(folder, "images/app"), layout);
    expect(await problemOf("oci:app")).toMatchObject({ reason: "InvalidImage" });
  });
});

describe("a registry", () => {
  it("gives an image by tag and by digest, for a token, each blob once", async () => {
    const layout = await buildLayout([HELLO, { ...HELLO, architecture: "arm64" }]);
    const registry = await openRegistry(layout);
    try {
      const code = await store.resolve(`${registry.host}/team/app:latest`, "x86_64");
      expect(code.image?.resolvedUri).toBe(`${registry.host}/team/app@${layout.digests[0]}`);
      expect(read((await store.prepare(code)).root, "hello")).toBe("hello");
      const again = await store.resolve(`${registry.host}/team/app@${layout.digests[0]}`, "x86_64");
      await store.prepare(again);
      expect(again.blob).toBe(code.blob);
      // The configuration and the layer, and no more for the second image.
      const given = new Set(registry.requests.filter((line) => line.includes("/blobs/")));
      expect(given.size).toBe(2);
    } finally {
      await registry.close();
    }
  });

  it("is told in AWS's words where it has no image, refuses, or lies", async () => {
    const layout = await buildLayout([HELLO]);
    const registry = await openRegistry(layout);
    try {
      expect(await problemOf(`${registry.host}/team/none:1`)).toMatchObject({ reason: "ImageDeleted" });
      expect(await problemOf(`${registry.host}/team/secret:1`)).toEqual({
        code: "AccessDeniedException",
        message: "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
        reason: "ImageAccessDenied",
      });
      for (const id of layout.blobs.keys()) registry.spoiled.add(id);
      expect(await problemOf(`${registry.host}/team/app`)).toMatchObject({ reason: "InvalidImage" });
    } finally {
      await registry.close();
    }
    expect(await problemOf(`${registry.host}/team/app`)).toMatchObject({ reason: "InvalidImage" });
  });
});

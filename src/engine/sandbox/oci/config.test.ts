import { describe, expect, it } from "vitest";
import type { SandboxShape } from "../bubblewrap/arguments.ts";
import { ociConfig } from "./config.ts";

const SHAPE: SandboxShape = {
  hostname: "169.254.1.2",
  unshareNetwork: false,
  filtered: true,
  environment: { A: "1" },
  cwd: "/var/task",
  paths: {
    image: undefined,
    tools: "/stage/tools",
    etc: "/stage/etc",
    hosts: "/stage/hosts",
    tmp: "/stage/tmp",
    task: "/stage/task",
    opt: "/stage/opt",
    emptyFolder: "/stage/empty",
    emptyFile: "/stage/nothing",
    mounts: [{ source: "/stage/1", target: "/var/runtime" }],
  },
};

interface Config {
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly process: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly noNewPrivileges: boolean;
    readonly capabilities: Readonly<Record<string, readonly string[]>>;
    readonly user: { readonly uid: number; readonly gid: number };
  };
  readonly mounts: readonly {
    readonly destination: string;
    readonly source: string;
    readonly options: readonly string[];
  }[];
  readonly linux: {
    readonly namespaces: readonly { readonly type: string }[];
    readonly uidMappings: readonly object[];
    readonly seccomp?: object;
  };
}

function config(shape: Partial<SandboxShape> = {}, users: readonly number[] = [70_001, 70_002]): Config {
  return ociConfig({
    shape: { ...SHAPE, ...shape },
    skeleton: "/stage/root",
    users,
    hook: ["/bin/sh", "-c", "true"],
    command: "/bin/program",
    args: ["an argument"],
  }) as Config;
}

describe("a container's configuration", () => {
  it("gives no privilege, and nothing to write but /tmp", () => {
    const { process: guest, root, mounts, linux } = config();
    expect(guest.noNewPrivileges).toBe(true);
    expect(Object.values(guest.capabilities).flat()).toEqual([]);
    expect(root).toEqual({ path: "/stage/root", readonly: true });
    const writable = mounts.filter(({ options }) => !options.includes("ro")).map((each) => each.destination);
    expect(writable.toSorted()).toEqual(["/dev", "/proc", "/tmp"]);
    expect(linux.seccomp === undefined).toBe(!["x64", "arm64"].includes(process.arch));
    expect(guest.env).toEqual(["A=1"]);
    expect(guest.args.slice(-3)).toEqual(["init", "/bin/program", "an argument"]);
  });

  it("maps the guest to a host user of its own, and root to one that runs nothing", () => {
    const { process: guest, linux } = config();
    expect(guest.user).toEqual({ uid: 993, gid: 990 });
    expect(linux.uidMappings).toEqual([
      { containerID: 0, hostID: 70_002, size: 1 },
      { containerID: 993, hostID: 70_001, size: 1 },
    ]);
    expect(config({}, []).linux.uidMappings).toEqual([{ containerID: 0, hostID: 0, size: 1 }]);
  });

  it("joins the network that it is started in, or makes an empty one", () => {
    const types = (unshareNetwork: boolean): readonly string[] =>
      config({ unshareNetwork }).linux.namespaces.map(({ type }) => type);
    expect(types(false)).not.toContain("network");
    expect(types(true)).toContain("network");
  });

  it("shows an image alone, without the host's programs, code or layers", () => {
    const { root, mounts } = config({ paths: { ...SHAPE.paths, image: { root: "/stage/image" } } });
    expect(root).toEqual({ path: "/stage/image", readonly: true });
    expect(mounts.map(({ source }) => source)).toEqual([
      "/stage/hosts",
      "/stage/etc/resolv.conf",
      "proc",
      "tmpfs",
      "/stage/tmp",
      "/stage/tools",
      "/stage/1",
    ]);
  });
});

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../lifecycle/support.ts";
import { run } from "../support/tools.ts";

const folder = temporaryFolder();
const root = join(import.meta.dirname, "..", "..");
let home = "";
let count = 0;

/** A clone with a build and an npm that only write down that they ran, and a program that tells what it was given. */
beforeEach(() => {
  home = join(folder, `a clone ${count++}`);
  put("package.json", "{}");
  put("package-lock.json", "{}");
  put("tsconfig.json", "{}");
  put("src/main.ts", "");
  put(
    "tools/build.mjs",
    `import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
    console.log("compiling");
    appendFileSync("steps", "build\\n");
    mkdirSync("dist", { recursive: true });
    writeFileSync("dist/main.js", "console.log(JSON.stringify(process.argv.slice(2))); process.exit(7);");
    writeFileSync("dist/.built", "");`,
  );
  put(
    "bin/npm",
    `#!/bin/sh
    echo "npm $*" >>steps
    mkdir -p node_modules && : >node_modules/.package-lock.json`,
  );
  chmodSync(join(home, "bin/npm"), 0o755);
  copyFileSync(join(root, "thaw"), join(home, "thaw"));
});

function put(path: string, content: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), content);
}

/** Makes a file seem changed after everything that was built. */
function touch(path: string): void {
  const later = new Date(Date.now() + 5000);
  utimesSync(join(home, path), later, later);
}

function launch(args: readonly string[] = [], from = join(home, "thaw"), cwd = folder) {
  const PATH = `${join(home, "bin")}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  return run(from, args, { cwd, env: { PATH } });
}

/** What was installed and built since the last look. */
function steps(): string[] {
  const path = join(home, "steps");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trim().split("\n");
  rmSync(path);
  return lines;
}

const INSTALL = "npm ci --ignore-scripts --no-audit --no-fund";

describe("the launcher", () => {
  it("installs and builds on its first run, tells so, and only runs on the next", async () => {
    const first = await launch(["invoke", "a b", "", "*", "$HOME"]);
    expect(first).toMatchObject({ code: 7, stdout: '["invoke","a b","","*","$HOME"]\n' });
    expect(first.stderr).toMatch(/^thaw: installing dependencies .*…\nthaw: building .*…\n$/);
    expect(steps()).toEqual([INSTALL, "build"]);
    expect(await launch(["version"])).toEqual({ code: 7, stdout: '["version"]\n', stderr: "" });
    expect(steps()).toEqual([]);
  });

  it("installs once where two first runs come at once", async () => {
    const [first, second] = await Promise.all([launch(["1"]), launch(["2"])]);
    expect([first, second].map(({ code, stdout }) => [code, stdout])).toEqual([
      [7, '["1"]\n'],
      [7, '["2"]\n'],
    ]);
    expect(steps()).toEqual([INSTALL, "build"]);
    expect(existsSync(join(home, ".setup-lock"))).toBe(false);
  });

  it("tells for whom it waits, and goes on once that one is done", async () => {
    put(".setup-lock/pid", String(process.pid));
    const PATH = `${join(home, "bin")}:${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
    const waiting = spawn(join(home, "thaw"), { env: { PATH }, stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    waiting.stderr.setEncoding("utf8").on("data", (text: string) => {
      told += text;
      if (told.endsWith("waiting for it…\n")) rmSync(join(home, ".setup-lock"), { recursive: true });
    });
    expect(await once(waiting, "exit")).toEqual([7, null]);
    expect(told).toMatch(
      new RegExp(
        `^thaw: another thaw \\(process ${process.pid}\\) is installing or building; waiting for it…\n`,
      ),
    );
    expect(steps()).toEqual([INSTALL, "build"]);
  });

  it("takes over from one that died", async () => {
    const dead = spawnSync("true").pid;
    put(".setup-lock/pid", String(dead));
    expect(await launch()).toMatchObject({ code: 7 });
    expect(steps()).toEqual([INSTALL, "build"]);
  });

  it("tells the program how it was called", async () => {
    await launch();
    put("dist/main.js", "console.log(process.env.THAW_PROGRAM)");
    expect((await launch([], "./thaw", home)).stdout).toBe("./thaw\n");
    expect((await launch()).stdout).toBe(`${join(home, "thaw")}\n`);
    symlinkSync(join(home, "thaw"), join(home, "bin/thaw"));
    expect((await launch([], "thaw")).stdout).toBe("thaw\n");
  });

  it("builds again after a change of the source, and installs again after one of the lock file", async () => {
    await launch();
    steps();
    for (const path of ["src/main.ts", "tools/build.mjs", "package.json", "tsconfig.json"]) {
      touch("dist/.built");
      utimesSync(join(home, path), new Date(Date.now() + 60_000), new Date(Date.now() + 60_000));
      await launch();
      expect([path, ...steps()]).toEqual([path, "build"]);
      utimesSync(join(home, path), 0, 0);
    }
    touch("package-lock.json");
    await launch();
    expect(steps()).toEqual([INSTALL, "build"]);
  });

  it("does not build again for a test", async () => {
    await launch();
    steps();
    put("src/main.test.ts", "");
    touch("src/main.test.ts");
    await launch();
    expect(steps()).toEqual([]);
  });

  it("finds its clone through symbolic links and from its own folder", async () => {
    symlinkSync(join(home, "thaw"), join(home, "bin/first"));
    symlinkSync("first", join(home, "bin/second"));
    expect(await launch(["x"], join(home, "bin/second"))).toMatchObject({ code: 7, stdout: '["x"]\n' });
    expect(await launch(["x"], "./thaw", home)).toMatchObject({ code: 7, stdout: '["x"]\n' });
    expect(steps()).toEqual([INSTALL, "build"]);
  });

  it("shows what a failed build printed, and tries again the next time", async () => {
    const working = readFileSync(join(home, "tools/build.mjs"), "utf8");
    put("tools/build.mjs", 'console.log("src/main.ts(1,1): error"); process.exit(1);');
    const failed = await launch();
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toMatch(/src\/main\.ts\(1,1\): error\nthaw: building .* failed\n$/);
    put("tools/build.mjs", working);
    expect(await launch()).toMatchObject({ code: 7 });
  });

  it.each(["v18.20.0", "v20.18.9"])("refuses Node.js %s and says which it wants", async (version) => {
    // Stands in for an old Node.js, of which the launcher asks the version alone.
    put("bin/node", `#!/bin/sh\n[ "$1" = --version ] && echo ${version}`);
    chmodSync(join(home, "bin/node"), 0o755);
    expect(await launch()).toEqual({
      code: 1,
      stdout: "",
      stderr: `thaw: Node.js 20.19 or newer is needed; this is ${version}\n`,
    });
  });
});

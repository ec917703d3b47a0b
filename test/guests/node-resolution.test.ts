// Where Node.js functions find packages: their own, then layers, then the runtime's, by require and by import alike.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withGuest, writeFiles } from "./guest.ts";
import { nodes } from "./interpreters.ts";

const REPOSITORY_MODULES = resolve(import.meta.dirname, "../../node_modules");

let folder: string;
let runtimePath: string;
let layers: [string, string];

function greeting(name: string, text: string): Record<string, string> {
  return {
    [`${name}/package.json`]: JSON.stringify({ name: "greeting", main: "main.js" }),
    [`${name}/main.js`]: `module.exports = ${JSON.stringify(text)};`,
  };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "guest-parts-"));
  runtimePath = join(folder, "runtime");
  layers = [join(folder, "first"), join(folder, "second")];
  mkdirSync(join(runtimePath, "node_modules"), { recursive: true });
  for (const scope of ["@aws-sdk", "@smithy"])
    symlinkSync(join(REPOSITORY_MODULES, scope), join(runtimePath, "node_modules", scope));
  writeFiles(runtimePath, greeting("node_modules/greeting", "runtime"));
  writeFiles(runtimePath, greeting("node_modules/runtime-only", "runtime only"));
  writeFiles(layers[0], greeting("nodejs/node_modules/greeting", "first layer"));
  writeFiles(layers[1], greeting("nodejs/node_modules/greeting", "second layer"));
  for (const node of nodes())
    writeFiles(layers[1], greeting(`nodejs/node${node.major}/node_modules/versioned`, `for ${node.major}`));
  writeFiles(folder, { "plain/loose.js": 'module.exports = "not in node_modules";' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(nodes())("$name", (node) => {
  const init = () => ({ runtimePath, layerPaths: layers });
  const packages = ["greeting", "versioned", "runtime-only", "loose"];
  const found = ["first layer", `for ${node.major}`, "runtime only", "not in node_modules"];
  const environment = () => ({ NODE_PATH: join(folder, "plain") });

  it("finds them by require", async () => {
    const files = {
      "index.js": `exports.handler = async () => ${JSON.stringify(packages)}.map((name) => require(name));`,
    };
    await withGuest(node, { files, init: init(), environment: environment() }, async (guest) => {
      expect((await guest.invoke({})).value).toEqual(found);
    });
  });

  it("finds them by import", async () => {
    const imports = packages.map((name, index) => `import p${index} from "${name}";`).join("\n");
    const files = { "index.mjs": `${imports}\nexport const handler = async () => [p0, p1, p2, p3];` };
    await withGuest(node, { files, init: init(), environment: environment() }, async (guest) => {
      expect(guest.initError).toBeUndefined();
      expect((await guest.invoke({})).value).toEqual(found);
    });
  });

  it("finds them by import() in CommonJS", async () => {
    const files = {
      "src/index.js": `exports.handler = async () => (await import("greeting")).default;`,
    };
    await withGuest(node, { files, handler: "src/index.handler", init: init() }, async (guest) => {
      expect((await guest.invoke({})).value).toBe("first layer");
    });
  });

  it("prefers the function's own", async () => {
    const files = {
      ...greeting("node_modules/greeting", "own"),
      "index.mjs": `import own from "greeting"; export const handler = async () => own;`,
    };
    await withGuest(node, { files, init: init() }, async (guest) => {
      expect((await guest.invoke({})).value).toBe("own");
    });
  });

  it.each([
    [
      "index.mjs",
      `import { LambdaClient } from "@aws-sdk/client-lambda"; export const handler = async () => LambdaClient.name;`,
    ],
    [
      "index.js",
      `const { LambdaClient } = require("@aws-sdk/client-lambda"); exports.handler = async () => LambdaClient.name;`,
    ],
  ])("finds the runtime's AWS SDK from %s", async (name, code) => {
    await withGuest(node, { files: { [name]: code }, init: init() }, async (guest) => {
      expect(guest.initError).toBeUndefined();
      expect((await guest.invoke({})).value).toBe("LambdaClient");
    });
  });

  it("shows nothing of the runtime's own modules", async () => {
    const code = `
      const others = () => Object.keys(require.cache).filter((path) => path !== __filename);
      const atInit = [require.main ?? null, others()];
      exports.handler = awslambda.streamifyResponse(async (_event, stream) => {
        stream.end(JSON.stringify([...atInit, others()]));
      });`;
    await withGuest(node, { files: { "index.js": code }, init: init() }, async (guest) => {
      const { text } = await guest.invoke({});
      expect(JSON.parse(text)).toEqual([null, [], []]);
    });
  });

  it("says what is missing where no folder has it", async () => {
    const files = { "index.mjs": `import "nowhere"; export const handler = async () => 1;` };
    await withGuest(node, { files, init: init() }, async (guest) => {
      expect(guest.initError).toMatchObject({
        errorType: "Error",
        errorMessage: expect.stringContaining("Cannot find package 'nowhere' imported from") as string,
      });
      expect(JSON.stringify(guest.initError)).not.toContain("guest/nodejs");
    });
  });
});

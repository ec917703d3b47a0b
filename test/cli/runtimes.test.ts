import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { create, invoke, lambdaFor } from "../lifecycle/support.ts";
import { startPlatform } from "../support/platform.ts";
import { hasRegistry, registryVariables } from "../support/registry.ts";
import { thaw } from "./support.ts";

/** One that the Node.js of this test is not. */
const major = process.versions.node.startsWith("22.") ? "24" : "22";

it.skipIf(!hasRegistry)(
  "thaw runtimes add fetches a Node.js that functions then run on (npm registry)",
  async () => {
    const cache = mkdtempSync(join(tmpdir(), "thaw-test-"));
    try {
      const added = await thaw(["runtimes", "add", `nodejs${major}.x`, "--json"], {
        env: { ...registryVariables, THAW_CACHE: cache },
      });
      expect(added.code).toBe(0);
      expect(JSON.parse(added.stdout)).toContainEqual({
        name: `nodejs${major}.x`,
        state: "available",
        version: expect.stringMatching(new RegExp(`^${major}\\.`)),
        path: expect.stringContaining(realpathSync(cache)),
        addable: true,
      });

      const platform = await startPlatform([], { THAW_CACHE: cache });
      const lambda = lambdaFor(platform.url);
      await create(lambda, "newer", "exports.handler = async () => process.version;", {
        Runtime: `nodejs${major}.x` as "nodejs22.x",
      });
      const { error, payload } = await invoke(lambda, "newer");
      expect(error).toBeUndefined();
      expect(payload).toMatch(new RegExp(`^v${major}\\.`));
      expect(await platform.stop()).toBe(0);
      expect(platform.errors()).toBe("");
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  },
);

import { afterAll, beforeAll, describe, expect, type TestContext } from "vitest";
import { openWorld, wallKinds, type WallKind, type World } from "./world.ts";

const kinds = await wallKinds();

/** Defines the tests for every back end that claims the wall, each in a platform of its own, which must outlive them unharmed. */
export function behindWalls(
  define: (world: () => World, kind: WallKind) => void,
  claims: (kind: WallKind) => boolean = ({ sandbox }) => sandbox !== "process",
): void {
  for (const kind of kinds.filter(claims)) {
    const title = kind.missing === undefined ? kind.title : `${kind.title} (needs ${kind.missing})`;
    describe.skipIf(kind.missing !== undefined)(title, () => {
      let opened: World | undefined;
      const world = (): World => {
        if (opened === undefined) throw new Error("there is no platform");
        return opened;
      };
      beforeAll(async () => {
        opened = await openWorld(kind);
      });
      afterAll(async () => {
        const errors = opened?.platform.errors();
        const ended = opened?.platform.process.exitCode;
        await opened?.close();
        expect(ended).toBe(null);
        expect(errors).not.toMatch(/uncaught|nothing caught|internal failure|remains of an execution/);
      });
      define(world, kind);
    });
  }
}

export function needsPython(world: World, { skip }: TestContext): void {
  if (world.python === undefined) skip("needs Python, for raw system calls");
}

export function needs(limit: string, world: World, { skip }: TestContext): void {
  if (!world.enforces(limit)) skip(`${world.kind.title} does not claim it here: ${limit}`);
}

import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { pieces, sha256InTurns } from "./sha256.ts";

const MB = 1024 * 1024;

it.each([0, 1, MB - 1, MB, MB + 1, 3 * MB + 7])("hashes %d bytes a piece at a time", async (length) => {
  const bytes = Buffer.alloc(length, "thaw");
  expect(await sha256InTurns(bytes)).toEqual(createHash("sha256").update(bytes).digest());
  expect(Buffer.concat([...pieces(bytes)]).equals(bytes)).toBe(true);
});

it("lets others run between the pieces", async () => {
  let turns = 0;
  const others = setInterval(() => turns++, 0);
  await sha256InTurns(Buffer.alloc(40 * MB));
  clearInterval(others);
  expect(turns).toBeGreaterThan(0);
});

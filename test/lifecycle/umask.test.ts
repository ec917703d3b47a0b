import { expect, it } from "vitest";
import { startPlatform } from "../support/platform.ts";
import { create, invoke, lambdaFor } from "./support.ts";

const MODES = `
const { statSync, writeFileSync } = require("node:fs");
const mode = (path) => (statSync(path).mode & 0o777).toString(8);
exports.handler = async () => {
  writeFileSync("/tmp/made", "");
  return { file: mode(__filename), folder: mode(__dirname), made: mode("/tmp/made") };
};
`;

it.each(["027", "077"])("runs functions as ever where it was started with the umask %s", async (umask) => {
  const within = ["sh", "-c", `umask ${umask} && exec "$@"`, "sh"];
  const platform = await startPlatform([], {}, { within });
  try {
    const lambda = lambdaFor(platform.url);
    await create(lambda, "modes", MODES);
    const modes = { file: "555", folder: "755", made: "644" };
    expect(await invoke(lambda, "modes")).toEqual({ error: undefined, payload: modes });
    expect(platform.errors()).toBe("");
  } finally {
    await platform.stop();
  }
});

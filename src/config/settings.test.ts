import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { clientSettings, schema, settings } from "./settings.ts";

const rows = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `--"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );

it("has every setting of the schema", () => {
  expect(Object.keys(settings).sort()).toEqual(Object.keys(schema.shape).sort());
});

it("is what docs/configuration.md tells, setting by setting", () => {
  const platform = Object.values(settings).map(({ flags, variable, standard = "", description }) => [
    flags,
    variable,
    standard,
    description,
  ]);
  const client = Object.values(clientSettings).map(
    ({ flags, variable, awsVariables, standard = "", description }) => [
      flags,
      variable,
      awsVariables.join(", "),
      standard,
      description,
    ],
  );
  expect(rows).toEqual([...platform, ...client]);
});

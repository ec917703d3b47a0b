import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** So many files, those that name an operation the most, are enough to find its tests by. */
const SHOWN_TESTS = 3;

/** One service's operations: all that AWS has, and those that are built. */
export interface ServiceCoverage {
  readonly name: string;
  readonly operations: readonly string[];
  readonly built: ReadonlySet<string>;
}

/** By service and operation: in what an operation differs from AWS. */
export type Deviations = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export function readDeviations(): Deviations {
  return JSON.parse(readFileSync(join(ROOT, "docs/reference/deviations.json"), "utf8")) as Deviations;
}

interface TestFile {
  readonly path: string;
  readonly text: string;
}

export function readTests(): readonly TestFile[] {
  return (
    ["src", "test"]
      .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && /\.test\.ts$|_life\.py$/.test(entry.name))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return { path: relative(ROOT, path), text: readFileSync(path, "utf8") };
      })
      // Others name operations for their shapes alone, or to have something to run.
      .filter(({ path }) => /^(?:src\/services|test\/(?:replay|compat|cli|engine))\//.test(path))
  );
}

/** The files that name an operation as the JavaScript client, the CLI or boto3 does. */
function testsOf(service: string, operation: string, tests: readonly TestFile[]): readonly string[] {
  const words = operation.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  const named = new RegExp(
    [
      `["'\`]${operation}["'\`]`,
      String.raw`\b${operation}Command\b`,
      String.raw`\.${operation}\(`,
      String.raw`["' ]${words.replaceAll(" ", "-")}["' ]`,
      String.raw`\.${words.replaceAll(" ", "_")}\(`,
    ].join("|"),
    "g",
  );
  return tests
    .filter(({ path }) => {
      const [, of = service] = /(?:services|replay)\/([a-z0-9-]+)\//.exec(path) ?? [];
      return of === service;
    })
    .map(({ path, text }) => ({ path, mentions: text.match(named)?.length ?? 0 }))
    .filter(({ mentions }) => mentions > 0)
    .toSorted((a, b) => b.mentions - a.mentions || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path);
}

/** The built operations that no test names. */
export function untested({ name, built }: ServiceCoverage, tests: readonly TestFile[]): readonly string[] {
  return [...built].filter((operation) => testsOf(name, operation, tests).length === 0);
}

export function renderCoverage(
  services: readonly ServiceCoverage[],
  deviations: Deviations,
  tests: readonly TestFile[],
): string {
  const present = services.filter(({ built }) => built.size > 0);
  const absent = services.filter(({ built }) => built.size === 0);
  return [
    "# Coverage",
    "",
    "Written by `npm run coverage` from the official schemas, the handlers, the tests and `deviations.json`; do not edit.",
    "An operation that is not built answers `NotImplementedException`, status 501, and names itself.",
    "",
    "| service | operations of AWS | built |",
    "|---|---|---|",
    ...services.map(({ name, operations, built }) => `| ${name} | ${operations.length} | ${built.size} |`),
    ...present.flatMap((service) => renderService(service, deviations[service.name] ?? {}, tests)),
    "",
    "## Services that are not there",
    "",
    `${absent.map(({ name }) => `\`${name}\``).join(", ")}: the wire reads their requests, and no operation is built.`,
    "",
  ].join("\n");
}

function renderService(
  { name, operations, built }: ServiceCoverage,
  deviations: Readonly<Record<string, readonly string[]>>,
  tests: readonly TestFile[],
): readonly string[] {
  const missing = operations.filter((operation) => !built.has(operation));
  return [
    "",
    `## ${name}`,
    "",
    "| operation | tests | differs from AWS |",
    "|---|---|---|",
    ...operations
      .filter((operation) => built.has(operation))
      .map((operation) => {
        const files = testsOf(name, operation, tests);
        const shown = files.slice(0, SHOWN_TESTS).map((path) => `\`${path}\``);
        return `| ${operation} | ${shown.join(" ")} | ${(deviations[operation] ?? []).join(" ")} |`;
      }),
    ...(missing.length === 0 ? [] : ["", `Not built: ${missing.join(", ")}.`]),
  ];
}

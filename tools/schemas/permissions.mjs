// AWS's actions, condition keys and ARNs by service as a compact table, from a package that carries the facts of the
// Service Authorization Reference. The form is described beside its reader, in src/wire/schema/permissions.ts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @param {string} folder the package's `data` */
export function permissionsOf(folder) {
  const read = (...path) => JSON.parse(readFileSync(join(folder, ...path), "utf8"));
  const names = readdirSync(join(folder, "actions"))
    .map((file) => file.replace(/\.json$/, ""))
    .toSorted();
  const services = names.map((name) => {
    const part = (kind) => Object.values(read(kind, `${name}.json`));
    return [
      name,
      {
        actions: part("actions")
          .map((action) => action.name)
          .toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)),
        keys: Object.fromEntries(
          part("conditionKeys")
            .filter(({ key }) => !key.startsWith("aws:"))
            .map(({ key, type }) => [wild(key), type]),
        ),
        arns: [...new Set(part("resourceTypes").map(({ arn }) => wild(arn).replace(/^arn:[^:]*:/, "")))],
      },
    ];
  });
  return { services: Object.fromEntries(services), resourceControl: read("rcpSupportedServices.json") };
}

/** Placeholders, `${TagKey}` or `<key>`, as wildcards. */
function wild(text) {
  return text.replaceAll(/\$\{[^}]*\}|<[^>]*>/g, "*");
}

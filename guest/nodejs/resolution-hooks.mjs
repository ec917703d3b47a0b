// Resolves bare specifiers that Node did not find from further folders; used both as synchronous hooks (Node >= 22.15)
// and in the hooks thread of older Nodes.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const BARE = /^(?!node:|data:|file:|https?:|[./#])/;

function mayRetry(error, specifier) {
  const missing = error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND";
  return missing && BARE.test(specifier);
}

/** Node searches `node_modules` in the folder of the importing file and above it, so a file beside it stands in as the importer. */
function importerBeside(folder) {
  return pathToFileURL(`${dirname(folder)}/importer.mjs`).href;
}

export function resolveSync(folders) {
  return (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!mayRetry(error, specifier)) throw error;
      for (const folder of folders) {
        try {
          return next(specifier, { ...context, parentURL: importerBeside(folder) });
        } catch {}
        const found = resolveAsCommonJs(folder, specifier);
        if (found !== undefined) return found;
      }
      throw error;
    }
  };
}

/** For NODE_PATH folders that are not called node_modules. */
function resolveAsCommonJs(folder, specifier) {
  if (folder.endsWith("/node_modules")) return undefined;
  try {
    const file = createRequire(`${folder}/importer.cjs`).resolve(`./${specifier}`);
    return { url: pathToFileURL(file).href, shortCircuit: true };
  } catch {
    return undefined;
  }
}

let threadFolders = [];

export function initialize(folders) {
  threadFolders = folders;
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!mayRetry(error, specifier)) throw error;
    for (const folder of threadFolders) {
      try {
        return await next(specifier, { ...context, parentURL: importerBeside(folder) });
      } catch {}
      const found = resolveAsCommonJs(folder, specifier);
      if (found !== undefined) return found;
    }
    throw error;
  }
}

// AWS's own runtime is an ES module: a function finds neither a main module nor one of the runtime's in `require.cache`.
"use strict";

const own = Object.create(null);

/** Takes this runtime's modules, all that are loaded by now, out of sight. */
function hideOwnModules() {
  process.mainModule = undefined;
  for (const [path, module] of Object.entries(require.cache)) {
    if (!path.startsWith(`${__dirname}/`)) continue;
    own[path] = module;
    delete require.cache[path];
  }
}

/** Loads one more of them, which is to share those that are hidden. */
function loadOwnModule(path) {
  Object.assign(require.cache, own);
  const loaded = require(path);
  hideOwnModules();
  return loaded;
}

module.exports = {
  hideOwnModules,
  loadOwnModule,
};

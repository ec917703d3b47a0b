// The environment variables of a function.
"use strict";

/** Makes `process.env` exactly what `init` says: nothing of the platform's own environment may be seen by a function. */
function replaceEnvironment(environment) {
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  for (const name of Object.keys(environment)) process.env[name] = environment[name];
}

module.exports = {
  replaceEnvironment,
};

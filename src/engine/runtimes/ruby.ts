import { join } from "node:path";
import type { RuntimeLanguage } from "./language.ts";

export const ruby: RuntimeLanguage = {
  command: (view) => ({ command: view.command, args: [join(view.guest, "bootstrap.rb")] }),
  // Recorded by TestLambdaRuntimesCommon::test_introspection_invoke[ruby3.3]; gems are compatible within a minor version.
  environment: ({ runtimePath }, { task, opt }, version) => {
    const abi = `${version}.0`;
    return {
      GEM_HOME: runtimePath,
      GEM_PATH: [
        join(task, "vendor", "bundle", "ruby", abi),
        ...(opt === undefined ? [] : [join(opt, "ruby", "gems", abi)]),
        runtimePath,
        join(runtimePath, "ruby", abi),
      ].join(":"),
      RUBYLIB: [
        task,
        join(runtimePath, "lib"),
        ...(opt === undefined ? [] : [join(opt, "ruby", "lib")]),
      ].join(":"),
    };
  },
  // RUBYLIB and GEM_* are read again by the guest once the function is known.
  actsAtStart: (variable) => /^(?:RUBY(?!LIB$)|LC_|LANG|TZ$|MALLOC_|SSL_CERT_)/.test(variable),
};

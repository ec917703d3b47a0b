import { join } from "node:path";
import { JAVA_FLAGS, JAVA_JAR } from "./java-files.ts";
import type { RuntimeLanguage } from "./language.ts";

export const java: RuntimeLanguage = {
  command: (view, memoryMb) => {
    const kb = memoryMb * 1024;
    return {
      command: view.command,
      args: [
        // A file of flags, unlike the command line, yields to JAVA_TOOL_OPTIONS (AWS Lambda Developer Guide, "Customize
        // Java runtime startup behavior").
        `-XX:Flags=${join(view.guest, JAVA_FLAGS)}`,
        // As AWS's bootstrap gives them to a function of 256 MB: 222823k, 26214k and 13107k.
        `-XX:MaxHeapSize=${Math.ceil(kb * 0.85)}k`,
        `-XX:MaxMetaspaceSize=${Math.floor(kb * 0.1)}k`,
        `-XX:ReservedCodeCacheSize=${Math.floor(kb * 0.05)}k`,
        // The function's files may be mounted on what was its folder when the JVM started: java.nio then finds relative
        // paths all the same, as it goes by the folder's name.
        "-Dsun.nio.fs.chdirAllowed=true",
        "-jar",
        join(view.guest, JAVA_JAR),
      ],
    };
  },
  // Recorded by TestLambdaRuntimesCommon::test_introspection_invoke[java17]: none of its own.
  environment: () => ({}),
  restores: true,
  actsAtStart: (variable) => /^(?:_?JAVA_|JDK_JAVA_OPTIONS$|LC_|LANG|TZ$|MALLOC_)/.test(variable),
};

// JDKs of this host, the guest compiled by each, and the functions of the tests.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { managedRuntime } from "../../src/engine/runtimes/catalogue.ts";
import { RuntimeDiscovery } from "../../src/engine/runtimes/discover.ts";
import { buildJavaGuest } from "../../src/engine/runtimes/java-guest.ts";
import { java } from "../../src/engine/runtimes/java.ts";
import { writeFiles } from "./guest.ts";
import type { Interpreter } from "./interpreters.ts";

const GUEST = resolve(import.meta.dirname, "../../guest/java");
const BUILDS = resolve(import.meta.dirname, "../../node_modules/.cache/thaw-java-guest");
const MEMORY_MB = 256;

/** The command that boots the guest with each JDK that Lambda has a runtime for; the ones that this host lacks have no path. */
export async function jdks(): Promise<Interpreter[]> {
  const discovery = new RuntimeDiscovery({ folder: BUILDS, path: process.env["PATH"] ?? "" });
  return Promise.all(
    ["java8.al2", "java11", "java17", "java21", "java25"].map(async (name) => {
      const runtime = managedRuntime(name);
      const found = runtime === undefined ? undefined : await discovery.find(runtime);
      const major = Number(runtime?.version);
      if (found === undefined) return { name, path: undefined, command: [], major, minor: 0 };
      const options = { java: found.path, version: found.version, source: GUEST, folder: BUILDS };
      const guest = await buildJavaGuest(options);
      const view = { command: found.path, guest, runtimePath: "/nowhere", mounts: [] };
      const { command, args } = java.command(view, MEMORY_MB);
      return {
        name: `${name} ${found.version}`,
        path: found.path,
        command: [command, ...args],
        major,
        minor: 0,
      };
    }),
  );
}

// The tools are JVMs, which else leave a folder in /tmp.
const QUIET = ["-J-XX:-UsePerfData"];

const CORE = "com/amazonaws/services/lambda/runtime";

/** Stand-ins for aws-lambda-java-core: the interfaces, with the methods that AWS documents. */
const CORE_SOURCES: Readonly<Record<string, string>> = {
  [`${CORE}/Context.java`]: `package com.amazonaws.services.lambda.runtime;
public interface Context {
  String getAwsRequestId(); String getLogGroupName(); String getLogStreamName(); String getFunctionName();
  String getFunctionVersion(); String getInvokedFunctionArn(); CognitoIdentity getIdentity();
  ClientContext getClientContext(); int getRemainingTimeInMillis(); int getMemoryLimitInMB(); LambdaLogger getLogger();
  default String getTenantId() { return null; }
  default int getSomethingNewer() { return 7; }
}`,
  [`${CORE}/CognitoIdentity.java`]: `package com.amazonaws.services.lambda.runtime;
public interface CognitoIdentity { String getIdentityId(); String getIdentityPoolId(); }`,
  [`${CORE}/ClientContext.java`]: `package com.amazonaws.services.lambda.runtime;
public interface ClientContext { Client getClient(); java.util.Map<String, String> getCustom(); java.util.Map<String, String> getEnvironment(); }`,
  [`${CORE}/Client.java`]: `package com.amazonaws.services.lambda.runtime;
public interface Client { String getInstallationId(); String getAppTitle(); String getAppVersionName(); String getAppVersionCode(); String getAppPackageName(); }`,
  [`${CORE}/LambdaLogger.java`]: `package com.amazonaws.services.lambda.runtime;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
public interface LambdaLogger {
  void log(String message);
  void log(byte[] message);
  default void log(String message, LogLevel level) { log(message); }
  default void log(byte[] message, LogLevel level) { log(message); }
}`,
  [`${CORE}/logging/LogLevel.java`]: `package com.amazonaws.services.lambda.runtime.logging;
public enum LogLevel { UNDEFINED, TRACE, DEBUG, INFO, WARN, ERROR, FATAL }`,
  [`${CORE}/LambdaRuntime.java`]: `package com.amazonaws.services.lambda.runtime;
public final class LambdaRuntime {
  private static volatile LambdaLogger logger = null;
  public static LambdaLogger getLogger() { return logger; }
}`,
  [`${CORE}/RequestHandler.java`]: `package com.amazonaws.services.lambda.runtime;
public interface RequestHandler<I, O> { O handleRequest(I input, Context context); }`,
  [`${CORE}/RequestStreamHandler.java`]: `package com.amazonaws.services.lambda.runtime;
import java.io.*;
public interface RequestStreamHandler { void handleRequest(InputStream input, OutputStream output, Context context) throws IOException; }`,
  [`${CORE}/CustomPojoSerializer.java`]: `package com.amazonaws.services.lambda.runtime;
import java.io.*;
import java.lang.reflect.Type;
public interface CustomPojoSerializer {
  <T> T fromJson(InputStream input, Type type);
  <T> T fromJson(String input, Type type);
  <T> void toJson(T value, OutputStream output, Type type);
}`,
};

/** A package on disk, compiled by a JDK: classes at its root, the stand-ins as a jar in `lib`. */
export class JavaPackage {
  readonly folder = mkdtempSync(join(tmpdir(), "java-function-"));

  /** @param sources by path, such as `example/Handler.java`; `core: false` leaves the jar out once all is compiled */
  constructor(
    jdk: Interpreter,
    sources: Readonly<Record<string, string>>,
    options: { readonly core?: boolean } = {},
  ) {
    const tools = dirname(realpathSync(jdk.path as string));
    const scratch = mkdtempSync(join(tmpdir(), "java-sources-"));
    try {
      const compile = (what: string, files: Readonly<Record<string, string>>, classes: string) => {
        writeFiles(join(scratch, what), files);
        const paths = Object.keys(files).map((name) => join(scratch, what, name));
        execFileSync(
          join(tools, "javac"),
          [...QUIET, "-nowarn", "-cp", join(scratch, "core-classes"), "-d", classes, ...paths],
          {
            stdio: ["ignore", "pipe", "pipe"],
          },
        );
      };
      compile("core", CORE_SOURCES, join(scratch, "core-classes"));
      compile("function", sources, this.folder);
      if (options.core !== false) {
        writeFiles(this.folder, { "lib/.keep": "" });
        const jar = join(this.folder, "lib", "core.jar");
        execFileSync(join(tools, "jar"), [...QUIET, "cf", jar, "-C", join(scratch, "core-classes"), "."]);
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  /** Moves compiled classes of a package into a jar, such as `lib/model.jar`. */
  pack(jdk: Interpreter, jar: string, classes: string): void {
    const tools = dirname(realpathSync(jdk.path as string));
    execFileSync(join(tools, "jar"), [...QUIET, "cf", join(this.folder, jar), "-C", this.folder, classes]);
    rmSync(join(this.folder, classes), { recursive: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whether the guest's build holds an archive of classes. */
export function hasArchive(jdk: Interpreter): boolean {
  const folder = dirname(jdk.command.at(-1) as string);
  const archive = /^SharedArchiveFile=(.*)$/m.exec(readFileSync(join(folder, "jvm.flags"), "utf8"))?.[1];
  return archive !== undefined && existsSync(archive);
}

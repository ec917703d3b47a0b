import { describe, expect, it } from "vitest";
import { java } from "./java.ts";
import { ruby } from "./ruby.ts";

const view = { command: "/jdk/bin/java", guest: "/guest", runtimePath: "/var/runtime", mounts: [] };
const paths = { task: "/var/task", opt: "/opt", tmp: "/tmp" };

describe("java", () => {
  it("sizes the JVM as AWS's bootstrap does for a function of 256 MB", () => {
    expect(java.command(view, 256)).toEqual({
      command: "/jdk/bin/java",
      args: [
        "-XX:Flags=/guest/jvm.flags",
        "-XX:MaxHeapSize=222823k",
        "-XX:MaxMetaspaceSize=26214k",
        "-XX:ReservedCodeCacheSize=13107k",
        "-Dsun.nio.fs.chdirAllowed=true",
        "-jar",
        "/guest/guest.jar",
      ],
    });
  });

  it.each([
    ["JAVA_TOOL_OPTIONS", true],
    ["_JAVA_OPTIONS", true],
    ["JDK_JAVA_OPTIONS", true],
    ["TZ", true],
    ["TABLE_NAME", false],
    ["MY_JAVA_THING", false],
  ])("is asked for by a function that sets %s: %s", (variable, expected) => {
    expect(java.actsAtStart(variable)).toBe(expected);
  });
});

describe("ruby", () => {
  it("has the variables that AWS's runtime has", () => {
    expect(ruby.environment(view, paths, "3.3")).toEqual({
      GEM_HOME: "/var/runtime",
      GEM_PATH:
        "/var/task/vendor/bundle/ruby/3.3.0:/opt/ruby/gems/3.3.0:/var/runtime:/var/runtime/ruby/3.3.0",
      RUBYLIB: "/var/task:/var/runtime/lib:/opt/ruby/lib",
    });
    expect(ruby.environment(view, { ...paths, opt: undefined }, "3.4")["GEM_PATH"]).not.toContain("/opt");
  });

  it.each([
    ["RUBYOPT", true],
    ["RUBYLIB", false],
    ["GEM_PATH", false],
  ])("is asked for by a function that sets %s: %s", (variable, expected) => {
    expect(ruby.actsAtStart(variable)).toBe(expected);
  });
});

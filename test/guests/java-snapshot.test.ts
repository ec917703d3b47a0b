// SnapStart in Java: AWS Lambda Developer Guide, "Lambda SnapStart runtime hooks for Java".
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import type { ErrorDocument, Package } from "./guest.ts";
import { JavaPackage, jdks } from "./jdk.ts";

/** Registers as the library org.crac does: by the names that `org.crac.Core.Compat` leads to. */
const SOURCES = {
  "example/Hooked.java": `package example;
import java.lang.reflect.*;
import java.util.*;
public class Hooked {
  static final List<String> told = new ArrayList<>();
  static final List<Object> kept = new ArrayList<>();
  static void register(String name) throws Exception {
    String types = System.getProperty("org.crac.Core.Compat");
    Class<?> resource = Class.forName(types + ".Resource");
    InvocationHandler hook = (proxy, method, arguments) -> {
      if (method.getName().equals("hashCode")) return System.identityHashCode(proxy);
      if (method.getName().equals("equals")) return proxy == arguments[0];
      if (method.getName().equals(System.getenv("FAIL"))) throw new IllegalStateException("no luck");
      told.add(method.getName() + " " + name + " " + System.getenv("AWS_SESSION_TOKEN"));
      return null;
    };
    Object proxy = Proxy.newProxyInstance(Hooked.class.getClassLoader(), new Class<?>[] {resource}, hook);
    kept.add(proxy);
    Object context = Class.forName(types + ".Core").getMethod("getGlobalContext").invoke(null);
    Class.forName(types + ".Context").getMethod("register", resource).invoke(context, proxy);
  }
  public Hooked() throws Exception { register("one"); register("two"); }
  public List<String> handle(Object event) { return told; }
}`,
};

describe.each(await jdks())("$name", (jdk) => {
  if (jdk.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  let code: JavaPackage;
  beforeAll(() => {
    code = new JavaPackage(jdk, SOURCES);
  });
  afterAll(() => code.remove());

  const hooked = (initType: string, environment: Record<string, string> = {}): Package => ({
    folder: code.folder,
    handler: "example.Hooked::handle",
    environment: { AWS_SESSION_TOKEN: "old", ...environment },
    init: { initType },
  });

  it("runs hooks in AWS's order, those after a restore with fresh variables", () =>
    withGuest(jdk, hooked("snap-start"), async (guest) => {
      expect((await guest.invoke({})).value).toEqual([
        "beforeCheckpoint two old",
        "beforeCheckpoint one old",
      ]);
      expect((await guest.restore({ AWS_SESSION_TOKEN: "fresh" })).kind).toBe("response");
      expect((await guest.invoke({})).value).toEqual([
        "beforeCheckpoint two old",
        "beforeCheckpoint one old",
        "afterRestore one fresh",
        "afterRestore two fresh",
      ]);
    }));

  it("runs none where it was not initialised for a snapshot", () =>
    withGuest(jdk, hooked("on-demand"), async (guest) => {
      expect((await guest.invoke({})).value).toEqual([]);
    }));

  it("fails its init where a hook fails before the snapshot", () =>
    withGuest(jdk, hooked("snap-start", { FAIL: "beforeCheckpoint" }), async (guest) => {
      expect((guest.initError as ErrorDocument).errorType).toBe("Runtime.BeforeCheckpointError");
      expect((guest.initError as ErrorDocument).errorMessage).toContain("no luck");
    }));

  it("logs a hook that fails after a restore, answers its error and ends", () =>
    withGuest(jdk, hooked("snap-start", { FAIL: "afterRestore" }), async (guest) => {
      const failed = await guest.restore();
      expect(failed.kind).toBe("error");
      expect(failed.header).toMatchObject({ exit: true });
      expect(failed.value).toMatchObject({ errorType: "Runtime.AfterRestoreError" });
      expect(failed.logs.join("\n")).toContain("java.lang.IllegalStateException: no luck");
      expect((await guest.invoke({})).kind).toBe("exit");
    }));
});

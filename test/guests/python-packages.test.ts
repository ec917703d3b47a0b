// Where Python functions find packages, and a botocore too old to know AWS_ENDPOINT_URL.
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withGuest, writeFiles } from "./guest.ts";
import { pythons } from "./interpreters.ts";

const DEBIAN_PACKAGES = "/usr/lib/python3/dist-packages";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "guest-parts-"));
  const versions = pythons().map(({ major, minor }) => `${major}.${minor}`);
  writeFiles(folder, {
    "first/python/greeting.py": "text = 'first layer'",
    "second/python/greeting.py": "text = 'second layer'",
    ...Object.fromEntries(
      versions.map((version) => [
        `second/python/lib/python${version}/site-packages/versioned.py`,
        `text = 'for ${version}'`,
      ]),
    ),
    "runtime/greeting.py": "text = 'runtime'",
    "runtime/runtime_only.py": "text = 'runtime only'",
    "plain/loose.py": "text = 'of PYTHONPATH'",
    "agent/sitecustomize.py":
      "import logging\nlogging.getLogger().addHandler(logging.NullHandler())\nran = True\nprint('by the agent')",
    "broken/sitecustomize.py": "import left_pad",
    "leaving/sitecustomize.py": "import sys\nprint('so long', end='')\nsys.exit(3)",
    // The surface of botocore that the hook touches, and an old version's way of choosing an endpoint.
    "old/botocore/__init__.py": "__version__ = '1.26.9'",
    "new/botocore/__init__.py": "__version__ = '1.31.0'",
    ...Object.fromEntries(
      ["old", "new"].map((name) => [
        `${name}/botocore/session.py`,
        "class Session:\n  def create_client(self, service_name, region_name=None, api_version=None, use_ssl=True, verify=None, endpoint_url=None):\n    return endpoint_url\n",
      ]),
    ),
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(pythons())("$name", (python) => {
  if (python.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  it("has what `site` brings, without the code of the host's .pth files", async () => {
    const code = `import sys, sysconfig
def handler(event, context):
  site = sysconfig.get_path("purelib", "posix_prefix")
  here = [entry for entry in sys.path if entry == site]
  hooks = [name for name in ("_distutils_hack", "sitecustomize", "site") if name in sys.modules]
  return [hooks, callable(exit), callable(quit), callable(help), here]
`;
    await withGuest(python, { files: { "index.py": code } }, async (guest) => {
      const [hooks, ...rest] = (await guest.invoke({})).value as [string[], ...unknown[]];
      expect(hooks).toEqual([]);
      const site = join(
        realpathSync(python.path ?? ""),
        `../../lib/python${python.major}.${python.minor}/site-packages`,
      );
      expect(rest).toEqual([true, true, true, existsSync(site) ? [site] : []]);
    });
  });

  it("finds packages in layers, PYTHONPATH and the runtime, behind the function's own", async () => {
    const code = (own: string) =>
      `import ${own}\ndef handler(event, context):\n  import greeting, versioned, runtime_only, loose\n  return [m.text for m in (greeting, versioned, runtime_only, loose)]\n`;
    const content = {
      environment: { PYTHONPATH: join(folder, "plain") },
      init: {
        runtimePath: join(folder, "runtime"),
        layerPaths: [join(folder, "first"), join(folder, "second")],
      },
    };
    const version = `for ${python.major}.${python.minor}`;
    await withGuest(python, { ...content, files: { "index.py": code("os") } }, async (guest) => {
      expect((await guest.invoke({})).value).toEqual([
        "first layer",
        version,
        "runtime only",
        "of PYTHONPATH",
      ]);
    });
    const own = { "index.py": code("greeting"), "greeting.py": "text = 'own'" };
    await withGuest(python, { ...content, files: own }, async (guest) => {
      expect((await guest.invoke({})).value).toEqual(["own", version, "runtime only", "of PYTHONPATH"]);
    });
  });

  it("runs the sitecustomize of a folder of PYTHONPATH, before Lambda's logger is set up", async () => {
    const code = `import logging
def handler(event, context):
  import sitecustomize
  return [sitecustomize.ran, [type(each).__name__ for each in logging.getLogger().handlers]]`;
    const content = {
      environment: { PYTHONPATH: join(folder, "agent") },
      files: { "index.py": code, "sitecustomize.py": "raise RuntimeError('beside the handler')" },
    };
    await withGuest(python, content, async (guest) => {
      expect(guest.initLogs).toEqual(["by the agent"]);
      expect((await guest.invoke({})).value).toEqual([true, ["NullHandler", "LambdaLoggerHandler"]]);
    });
  });

  it("ends without an init-error when sitecustomize exits", async () => {
    const content = { environment: { PYTHONPATH: join(folder, "leaving") }, files: {} };
    await withGuest(python, content, async (guest) => {
      expect(guest.initError).toBeNull();
      expect(guest.initLogs).toEqual(["so long"]);
      expect(await guest.exited()).toBe(3);
    });
  });

  it("loads the function where sitecustomize fails", async () => {
    const content = {
      environment: { PYTHONPATH: join(folder, "broken") },
      files: { "index.py": "import sys\ndef handler(e, c): return 'sitecustomize' in sys.modules" },
    };
    await withGuest(python, content, async (guest) => {
      expect(guest.initLogs).toEqual([
        "Error in sitecustomize; set PYTHONVERBOSE for traceback:",
        "ModuleNotFoundError: No module named 'left_pad'",
      ]);
      expect((await guest.invoke({})).value).toBe(false);
    });
  });

  it("leaves no compiled files among the function's code", async () => {
    const files = { "index.py": "import other\nhandler = lambda e, c: None", "other.py": "" };
    await withGuest(python, { files }, async (guest) => {
      expect((await guest.invoke({})).kind).toBe("response");
      expect(existsSync(join(guest.taskRoot, "__pycache__"))).toBe(false);
    });
  });

  it("points an old botocore at the platform, and leaves a new one to itself", async () => {
    const code = `
import botocore.session, os
def handler(event, context):
    os.environ.update(event.get("env", {}))
    session = botocore.session.Session()
    return [
        session.create_client("s3"),
        session.create_client("sqs"),
        session.create_client("s3", endpoint_url="http://given"),
        session.create_client("s3", None, None, True, None, "http://positional"),
    ]`;
    const environment = { AWS_ENDPOINT_URL: "http://platform", AWS_ENDPOINT_URL_SQS: "http://queues" };
    const from = (name: string) => ({
      files: { "index.py": code },
      environment,
      init: { runtimePath: join(folder, name) },
    });
    await withGuest(python, from("old"), async (guest) => {
      const given = ["http://given", "http://positional"];
      expect((await guest.invoke({})).value).toEqual(["http://platform", "http://queues", ...given]);
      const ignore = { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" };
      expect((await guest.invoke({ env: ignore })).value).toEqual([null, null, ...given]);
    });
    await withGuest(python, from("new"), async (guest) => {
      expect((await guest.invoke({})).value).toEqual([null, null, "http://given", "http://positional"]);
    });
  });

  it("points Debian's own boto3 at the platform", async ({ skip }) => {
    skip(!existsSync(join(DEBIAN_PACKAGES, "boto3")), "python3-boto3 is not installed");
    skip(python.minor > 11, "a boto3 of 2022 does not run on it");
    const code = `
import boto3, botocore
def handler(event, context):
    client = boto3.client("sts")
    try:
        client.get_caller_identity()
    except Exception as error:
        return [botocore.__version__, client.meta.endpoint_url, type(error).__name__]`;
    // Nothing listens on port 9: only where the call went matters.
    const environment = {
      AWS_ENDPOINT_URL: "http://127.0.0.1:9",
      AWS_DEFAULT_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
      AWS_MAX_ATTEMPTS: "1",
    };
    const content = { files: { "index.py": code }, environment, init: { runtimePath: DEBIAN_PACKAGES } };
    await withGuest(python, content, async (guest) => {
      expect(guest.initError).toBeUndefined();
      const [, endpoint, failure] = (await guest.invoke({})).value as string[];
      expect([endpoint, failure]).toEqual(["http://127.0.0.1:9", "EndpointConnectionError"]);
    });
  });
});

import { expect, it } from "vitest";
import { type Layer, packLayer, publishLayer } from "../../../src/cli/commands/demo/layers.ts";
import { MANAGED_RUNTIMES } from "../../../src/engine/runtimes/catalogue.ts";
import { RuntimeDiscovery } from "../../../src/engine/runtimes/discover.ts";
import { works } from "../../support/tools.ts";
import { examples, FOLDER, noPython, type Reader } from "../support.ts";

const NAME = "5.2-traces";

/** The guide's own code. */
const UNREPAIRED = `import aws_xray_sdk.core.patchers as patchers
patchers.patch_all()

def handler(event, context):
    # Your code here
`;

/** The module by its other name, and what shows that it came from the layer and did its work: its wrapper is wrapt's. */
const BY_PATCH_ALL = `from aws_xray_sdk.core import patch_all
import aws_xray_sdk, botocore.client
patch_all()

def handler(event, context):
    return [hasattr(botocore.client.BaseClient._make_api_call, '__wrapped__'), aws_xray_sdk.__file__]
`;

/** The layer with the host's X-Ray SDK; undefined where the host has none. */
async function sdkLayer(): Promise<Layer | undefined> {
  const [description] = examples.find(({ folder }) => folder.endsWith(NAME))?.layers ?? [];
  if (description === undefined) throw new Error(`${NAME} names no layer`);
  const packed = await packLayer(FOLDER, description);
  return typeof packed === "string" ? undefined : packed;
}

/** A runtime whose interpreter has no SDK beside it: what is installed for an interpreter, its functions see. */
async function runtimeWithoutSdk(): Promise<string | undefined> {
  const discovery = new RuntimeDiscovery({ folder: FOLDER, path: process.env["PATH"] ?? "" });
  for (const runtime of MANAGED_RUNTIMES.filter(({ family }) => family === "python")) {
    const interpreter = await discovery.find(runtime);
    if (interpreter !== undefined && !works(interpreter.path, "-c", "import aws_xray_sdk"))
      return runtime.name;
  }
  return undefined;
}

const layer = await sdkLayer();
const bareRuntime = await runtimeWithoutSdk();

export function tracing(reader: () => Reader): void {
  /** What the code answers with the layer, on the Python that the layer is for. */
  async function tried(as: string, source?: string) {
    if (layer?.runtime === undefined) throw new Error("no layer");
    const layers = [await publishLayer(reader().lambda, layer)];
    const code = source === undefined ? {} : { source };
    await reader().deploy(NAME, { as, layers, runtime: layer.runtime, ...code });
    return reader().invoke(as);
  }

  it.skipIf(bareRuntime === undefined)(
    "fails without a layer that has the SDK, as on AWS (needs a python without the SDK)",
    async () => {
      await reader().deploy(NAME, { as: "no-sdk", runtime: bareRuntime ?? "" });
      expect((await reader().invoke("no-sdk")).body).toMatchObject({
        errorType: "Runtime.ImportModuleError",
        errorMessage: "Unable to import module 'app': No module named 'aws_xray_sdk'",
      });
    },
  );

  it.skipIf(noPython || layer === undefined)(
    "fails with an empty body, and with the guide's name of the module (needs python3-aws-xray-sdk)",
    async () => {
      expect((await tried("traces-unfilled", UNREPAIRED)).body).toMatchObject({
        errorType: "Runtime.UserCodeSyntaxError",
        errorMessage: expect.stringContaining("expected an indented block") as string,
      });
      expect((await tried("traces-misnamed", `${UNREPAIRED}    return {}\n`)).body).toMatchObject({
        errorType: "Runtime.ImportModuleError",
        errorMessage: "Unable to import module 'app': No module named 'aws_xray_sdk.core.patchers'",
      });
    },
  );

  it.skipIf(noPython || layer === undefined)(
    "patches the libraries with the module's real name, by either spelling (needs python3-aws-xray-sdk)",
    async () => {
      const repaired = await tried("traces");
      expect(repaired).toMatchObject({ error: undefined, body: { status: "traced" } });
      expect(repaired.log).not.toMatch(/error/i);
      const body = [true, "/opt/python/aws_xray_sdk/__init__.py"];
      expect(await tried("traces-from", BY_PATCH_ALL)).toMatchObject({ error: undefined, body });
    },
  );
}

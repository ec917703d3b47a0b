import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packLayer, publishLayer } from "../../../src/cli/commands/demo/layers.ts";
import { works } from "../../support/tools.ts";
import { FOLDER, noCli, noPython, type Reader } from "../support.ts";

const noZip = !works("zip", "-v");

/** The guide's own two commands, letter by letter. */
const COMMANDS = `# Create a layer
zip -r my-layer.zip python

# Publish the layer
aws lambda publish-layer-version --layer-name my-layer --zip-file fileb://my-layer.zip
`;

/** What README has users of an AWS CLI type that does not read AWS_ENDPOINT_URL. */
const ALIAS = `alias aws='aws --endpoint-url "$AWS_ENDPOINT_URL"'\n`;

export function layers(reader: () => Reader): void {
  const event = { order_id: 42 };

  it.skipIf(noPython)("1.2 fails without its layer, as on AWS (needs python)", async () => {
    await reader().deploy("1.2-uses-layer", { as: "without-layer" });
    const { error, body } = await reader().invoke("without-layer", event);
    expect(error).toBe("Unhandled");
    expect(body).toMatchObject({
      errorType: "Runtime.ImportModuleError",
      errorMessage: "Unable to import module 'app': No module named 'shared_layer'",
    });
  });

  it.skipIf(noPython || noZip || noCli)(
    "2.1's commands publish it, and 1.2 answers with it (needs python, zip and `aws` on PATH)",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "thaw-layer-"));
      try {
        await cp(join(FOLDER, "2.1-my-layer"), folder, { recursive: true });
        const { code, stdout, stderr } = await reader().run("sh", ["-ec", ALIAS + COMMANDS], folder);
        expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        const published = JSON.parse(stdout.slice(stdout.indexOf("{"))) as { LayerVersionArn: string };
        expect(published).toMatchObject({
          LayerArn: "arn:aws:lambda:us-east-1:123456789012:layer:my-layer",
          Version: 1,
        });
        await reader().deploy("1.2-uses-layer", { layers: [published.LayerVersionArn] });
        expect(await reader().invoke("uses-layer", event)).toMatchObject({
          error: undefined,
          body: { status: "processed", event },
        });
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );

  it.skipIf(noPython)(
    "the demonstration publishes it once, however often it runs (needs python)",
    async () => {
      const arns: string[] = [];
      for (const name of ["demo-layer", "demo-layer"]) {
        const layer = await packLayer(FOLDER, { name, folder: "2.1-my-layer" });
        if (typeof layer === "string") throw new Error(`no ${layer}`);
        arns.push(await publishLayer(reader().lambda, layer));
      }
      expect(arns).toEqual(Array(2).fill("arn:aws:lambda:us-east-1:123456789012:layer:demo-layer:1"));
      await reader().deploy("1.2-uses-layer", { as: "demo-uses-layer", layers: arns.slice(1) });
      expect(await reader().invoke("demo-uses-layer", event)).toMatchObject({ error: undefined });
    },
  );
}

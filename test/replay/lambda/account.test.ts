import { expect, test } from "vitest";
import { createLambdaFixture } from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();

test("test_account_settings_total_code_size", async () => {
  const recording = new Recording("account", "test_account_settings_total_code_size");
  const lambda = createLambdaFixture(storage());
  const archive = (step: string, fill: string) =>
    Buffer.from(fill.repeat(recording.read(step) as number).slice(0, recording.read(step) as number));
  const used = async () => (await lambda.call("GetAccountSettings", {})).AccountUsage?.TotalCodeSize ?? 0;
  const difference = (step: string, before: number) =>
    recording.expect(
      step,
      used().then((after) => after - before),
    );

  const FunctionName = "fn";
  const start = await used();
  await lambda.create(FunctionName, {
    Code: { ZipFile: archive("total_code_size_diff_create_function", "a") },
  });
  await difference("total_code_size_diff_create_function", start);
  const ZipFile = archive("total_code_size_diff_update_function", "b");
  await lambda.call("UpdateFunctionCode", { FunctionName, ZipFile });
  await lambda.service.idle();
  await difference("total_code_size_diff_update_function", start);
  for (const [step, fill] of [
    ["total_code_size_diff_publish_layer", "c"],
    ["total_code_size_diff_publish_layer_version", "d"],
  ] as const) {
    const before = await used();
    const Content = { ZipFile: archive(step, fill) };
    await lambda.call("PublishLayerVersion", { LayerName: "layer", Content });
    await difference(step, before);
  }
});

test("every function, version and layer is counted, however many slices they take", async () => {
  const lambda = createLambdaFixture(storage());
  await lambda.create("fn");
  const { CodeSize = 0 } = await lambda.call("PublishVersion", { FunctionName: "fn" });
  const many = Array.from({ length: 450 }, (_, index) => `f${index}`);
  await Promise.all(many.map((name) => lambda.create(name)));
  expect((await lambda.call("GetAccountSettings", {})).AccountUsage).toEqual({
    FunctionCount: 451,
    TotalCodeSize: 452 * CodeSize,
  });
});

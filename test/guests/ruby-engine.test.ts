// Ruby functions from their package to the answer, through the engine.
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBench } from "../engine/support.ts";
import type { Bench } from "../engine/support.ts";

const FILES = {
  "app.rb": `
def handler(event:, context:)
  puts "hi"
  raise ArgumentError, "no" if event["fail"]
  { v: RUBY_VERSION, id: context.aws_request_id, env: ENV.to_h }
end
`,
};

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

async function isFound(name: string): Promise<boolean> {
  const runtimes = await bench.engine.runtimes();
  return runtimes.some(({ runtime, interpreter }) => runtime.name === name && interpreter !== undefined);
}

it.for(["ruby3.2", "ruby3.3", "ruby3.4"])("runs a %s function", async (runtime, { skip }) => {
  skip(!(await isFound(runtime)), `${runtime} is not on this host`);
  const spec = await bench.spec(FILES, { runtime, handler: "app.handler" });
  const answer = await bench.invoke(spec);
  const version = runtime.slice("ruby".length);
  expect(answer).toMatchObject({
    functionError: undefined,
    payload: {
      v: expect.stringMatching(new RegExp(`^${version}\\.`)) as string,
      id: answer.requestId,
      env: {
        AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
        GEM_PATH: expect.stringContaining(`vendor/bundle/ruby/${version}.0:`) as string,
      },
    },
  });
  expect(answer.tail).toContain("hi\nEND RequestId");
  expect(await bench.invoke(spec, { fail: true })).toMatchObject({
    functionError: "Unhandled",
    payload: { errorType: "Function<ArgumentError>", errorMessage: "no" },
  });
});

it.for(["ruby3.2", "ruby3.3", "ruby3.4"])(
  "says how to get %s where it is missing",
  async (runtime, { skip }) => {
    skip(await isFound(runtime), `${runtime} is on this host`);
    const spec = await bench.spec(FILES, { runtime, handler: "app.handler" });
    await expect(bench.invoke(spec)).rejects.toMatchObject({
      code: "InvalidRuntimeException",
      message: expect.stringContaining(`install Ruby ${runtime.slice("ruby".length)} `) as string,
    });
  },
);

// How Ruby functions are called and answer: AWS Lambda Developer Guide, "Define Lambda function handler in Ruby", and
// lambda_handler.rb, lambda_context.rb and aws_lambda_marshaller.rb of aws-lambda-ruby-runtime-interface-client.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Guest, withGuest } from "./guest.ts";
import type { Package } from "./guest.ts";
import { rubies } from "./interpreters.ts";

const CASES = `
require 'stringio'
require 'bigdecimal'
class Point
  def to_json(*) = '{"x":1}'
end
CASES = {
  'echo' => ->(event, _) { event['value'] },
  'nothing' => ->(_, _) {},
  'symbols' => ->(_, _) { { a: :b, 1 => 2.5 } },
  'point' => ->(_, _) { [Point.new] },
  'io' => ->(_, _) { StringIO.new('as it is') },
  'size' => ->(event, _) { { received: event['text'].length, answer: 'x' * event['bytes'] } },
  'nan' => ->(_, _) { Float::NAN },
  'binary' => ->(_, _) { "\\xff".b },
  'context' => ->(_, c) {
    names = %i[aws_request_id invoked_function_arn log_group_name log_stream_name function_name memory_limit_in_mb
               function_version identity client_context deadline_ms tenant_id get_remaining_time_in_millis]
    names.to_h { |name| [name, c.public_send(name)] }.merge(class: c.class)
  },
  'environment' => ->(_, _) { ENV.to_h },
  'places' => ->(_, _) { [Dir.pwd, $LOAD_PATH.first, self.to_s, defined?(LambdaGuest).to_s] },
  'own' => ->(_, _) { $LOAD_PATH.select { |path| path.include?('guest/ruby') } },
  'gems' => ->(_, _) { [Gem.path, $LOAD_PATH] },
  'descriptors' => ->(_, _) { IO.popen(['ls', '/proc/self/fd'], close_others: false).read.split },
}
def handler(event:, context:)
  CASES[event['case']].call(event, context)
end
`;

describe.each(rubies())("$name", (ruby) => {
  if (ruby.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  describe("a handler", () => {
    let guest: Guest;
    beforeAll(async () => {
      guest = await Guest.open(ruby, {
        files: { "index.rb": CASES },
        environment: { GREETING: "hi" },
        hostEnvironment: { THAW_SECRET: "of the host" },
      });
    });
    afterAll(async () => {
      expect(await guest.close()).toBe(0);
    });

    it("introduces itself", () => {
      expect(guest.hello).toEqual({ pid: expect.any(Number) as number, version: ruby.name.split(" ")[1] });
      expect(guest.initError).toBeUndefined();
      expect(guest.initLogs).toEqual([]);
    });

    it.each([
      ["a value", { case: "echo", value: { a: [1, "é", null, 2.5] } }, '{"a":[1,"é",null,2.5]}'],
      ["nil", { case: "nothing" }, "null"],
      ["symbols and other keys", { case: "symbols" }, '{"a":"b","1":2.5}'],
      ["what has to_json", { case: "point" }, '[{"x":1}]'],
      ["an IO as it is", { case: "io" }, "as it is"],
    ])("answers %s", async (_what, event, text) => {
      expect(await guest.invoke(event)).toMatchObject({ kind: "response", text });
    });

    it("tells that an IO's content is no JSON", async () => {
      expect((await guest.invoke({ case: "io" })).header).toMatchObject({
        contentType: "application/unknown",
      });
    });

    it.each(["nan", "binary"])("fails on a response without JSON: %s", async (name) => {
      const { kind, header, value } = await guest.invoke({ case: name });
      expect({ kind, exit: header["exit"] }).toEqual({ kind: "error", exit: false });
      expect((value as { errorType: string }).errorType).toMatch(
        /^Function<(JSON::GeneratorError|Encoding::.*)>$/,
      );
    });

    it.each([64 * 1024 - 200, 70_000, 6 * 1024 * 1024])("moves %d bytes both ways", async (bytes) => {
      const { value } = await guest.invoke({ case: "size", text: "x".repeat(bytes), bytes });
      const { received, answer } = value as { received: number; answer: string };
      expect([received, answer.length]).toEqual([bytes, bytes]);
    });

    it("tells a response that no frame can hold", async () => {
      expect(await guest.invoke({ case: "size", text: "", bytes: 33 * 1024 * 1024 })).toMatchObject({
        kind: "error",
        header: { exit: false },
        value: { errorType: "Function.ResponseSizeTooLarge" },
      });
    });

    it("reads an event over several lines, and refuses one that is no JSON", async () => {
      const event = '{\n  "case": "echo",\r\n  "value": "a\\nb"\n}\n';
      expect((await guest.invokeText(event)).value).toBe("a\nb");
      expect((await guest.invokeText("{")).value).toMatchObject({ errorType: "Function<JSON::ParserError>" });
    });

    it("fills the context in", async () => {
      const clientContext = { client: { installation_id: "i" }, custom: { k: "v" } };
      const identity = { cognitoIdentityId: "id", cognitoIdentityPoolId: "pool" };
      const deadlineMs = Date.now() + 3_600_000;
      const { value } = await guest.invoke(
        { case: "context" },
        {
          clientContext: JSON.stringify(clientContext),
          identity: JSON.stringify(identity),
          deadlineMs,
          tenantId: "blue",
        },
      );
      expect(value).toMatchObject({
        class: "LambdaContext",
        aws_request_id: expect.stringMatching(/^request-/) as string,
        function_name: "fn",
        function_version: "$LATEST",
        invoked_function_arn: "arn:aws:lambda:us-east-1:000000000000:function:fn",
        memory_limit_in_mb: "128",
        log_group_name: "/aws/lambda/fn",
        log_stream_name: "2026/01/01/[$LATEST]0",
        deadline_ms: deadlineMs,
        tenant_id: "blue",
        client_context: clientContext,
        identity,
      });
      const { get_remaining_time_in_millis: remaining } = value as { get_remaining_time_in_millis: number };
      expect(remaining).toBeGreaterThan(0);
      expect(remaining).toBeLessThanOrEqual(3_600_000);
      expect((await guest.invoke({ case: "context" }, { deadlineMs: 0 })).value).toMatchObject({
        client_context: null,
        identity: null,
        get_remaining_time_in_millis: 0,
      });
    });

    it("sees the function's environment alone, and the trace of the running event", async () => {
      const environment = { PATH: process.env["PATH"], GREETING: "hi" };
      expect((await guest.invoke({ case: "environment" })).value).toEqual(environment);
      expect((await guest.invoke({ case: "environment" }, { traceId: "Root=1-a" })).value).toEqual({
        ...environment,
        _X_AMZN_TRACE_ID: "Root=1-a",
      });
      expect((await guest.invoke({ case: "environment" })).value).toEqual(environment);
      const places = (await guest.invoke({ case: "places" })).value;
      expect(places).toEqual([guest.taskRoot, guest.taskRoot, "main", "constant"]);
      expect((await guest.invoke({ case: "own" })).value).toEqual([]);
    });

    it("keeps its channel from the processes that a function starts", async () => {
      const listed = (await guest.invoke({ case: "descriptors" })).value as string[];
      expect(listed).toContain("2");
      expect(listed).not.toContain("4");
    });
  });

  it.each<[string, Package]>([
    ["a folder", { files: { "src/app.rb": "def go(event:, context:) = 'yes'" }, handler: "src/app.go" }],
    [
      "a class method",
      {
        files: { "app.rb": "class App\n  def self.go(event:, context:) = 'yes'\nend" },
        handler: "app.App.go",
      },
    ],
    [
      "a method of a class in a module",
      {
        files: {
          "app.rb": "module Shop\n  class App\n    def self.go(event:, context:) = 'yes'\n  end\nend",
        },
        handler: "app.Shop::App.go",
      },
    ],
    [
      "a file of the package",
      {
        files: {
          "index.rb": "require 'helper'\ndef handler(event:, context:) = help",
          "helper.rb": "def help = 'yes'",
        },
      },
    ],
    [
      "a library that RUBYLIB names",
      {
        files: {
          "index.rb": "require 'helper'\ndef handler(event:, context:) = help",
          "other/helper.rb": "def help = 'yes'",
        },
        environment: { RUBYLIB: "other:/nowhere" },
      },
    ],
  ])("loads %s", async (_what, content) => {
    await withGuest(ruby, content, async (guest) => {
      expect(guest.initError).toBeUndefined();
      expect((await guest.invoke({})).value).toBe("yes");
    });
  });

  it("finds a vendored gem, and one of a layer", async () => {
    const version = `${ruby.major}.${ruby.minor}.0`;
    const gem = (root: string, name: string) => ({
      [`${root}/specifications/${name}-1.0.gemspec`]: `Gem::Specification.new { |s| s.name = '${name}'; s.version = '1.0'; s.summary = 's'; s.authors = ['a']; s.files = ['lib/${name}.rb'] }`,
      [`${root}/gems/${name}-1.0/lib/${name}.rb`]: `module ${name.toUpperCase()}; HERE = true; end`,
    });
    const layer = await Guest.open(ruby, {
      files: { "index.rb": "def handler(event:, context:) = 1", ...gem(`ruby/gems/${version}`, "layered") },
    });
    const files = {
      "index.rb":
        "require 'vendored'\nrequire 'layered'\ndef handler(event:, context:) = [VENDORED::HERE, LAYERED::HERE]",
      ...gem(`vendor/bundle/ruby/${version}`, "vendored"),
    };
    try {
      const content = {
        files,
        environment: { GEM_PATH: `vendor/bundle/ruby/${version}` },
        init: { layerPaths: [layer.taskRoot] },
      };
      await withGuest(ruby, content, async (guest) => {
        expect(guest.initError).toBeUndefined();
        expect((await guest.invoke({})).value).toEqual([true, true]);
      });
    } finally {
      await layer.close();
    }
  });
});

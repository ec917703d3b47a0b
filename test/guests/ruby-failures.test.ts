// What goes wrong in Ruby functions, in AWS's words (lambda_errors.rb and aws_lambda_ric.rb of
// aws-lambda-ruby-runtime-interface-client).
import { describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import type { ErrorDocument, Package } from "./guest.ts";
import { rubies } from "./interpreters.ts";

interface InitFailure extends Package {
  readonly type: string;
  readonly message: RegExp;
}

const INIT_FAILURES: Record<string, InitFailure> = {
  "a handler name without a dot": {
    handler: "index",
    type: "Init<ArgumentError>",
    message: /^Invalid handler \["index"\], must be of form FILENAME\.METHOD or FILENAME\.CLASS\.METHOD /,
  },
  "a file that is not there": {
    type: "Init<LoadError>",
    message: /^cannot load such file -- index$/,
  },
  "a gem that is not there": {
    files: { "index.rb": "require 'left_pad'" },
    type: "Init<LoadError>",
    message: /^cannot load such file -- left_pad$/,
  },
  "a syntax error": {
    files: { "index.rb": "def handler(event:\n" },
    type: "Init<SyntaxError>",
    message: /index\.rb:\d+: /,
  },
  "a file that ends the process": {
    files: { "index.rb": "exit 3" },
    type: "Init<SystemExit>",
    message: /^exit$/,
  },
  "a file that raises": {
    files: { "index.rb": "raise ArgumentError, 'no luck'" },
    type: "Init<ArgumentError>",
    message: /^no luck$/,
  },
};

const CASES = `
class Mine < StandardError; end
class Worse < Exception; end
def inner = raise(Mine, "no luck")
def handler(event:, context:)
  puts "before"
  print "without newline"
  case event["case"]
  when "mine" then inner
  when "worse" then raise Worse, "no luck"
  when "name" then nobody_knows
  when "method" then nil.nothing
  when "stack" then handler(event: event, context: context)
  when "exit" then exit
  when "exit!" then exit!(event["status"])
  when "interrupt" then Process.kill(:INT, Process.pid); sleep
  when "kill" then Process.kill(:KILL, Process.pid)
  end
end
`;

describe.each(rubies())("$name", (ruby) => {
  if (ruby.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  it.each(Object.entries(INIT_FAILURES))("names %s", async (_what, { type, message, ...content }) => {
    await withGuest(ruby, content, async (guest) => {
      const { errorType, errorMessage, stackTrace } = guest.initError as ErrorDocument;
      expect(errorType).toBe(type);
      expect(errorMessage).toMatch(message);
      expect(JSON.stringify(stackTrace)).not.toContain("guest/ruby");
      expect(guest.initLogs[0]).toBe(`Init error when loading handler ${content.handler ?? "index.handler"}`);
      expect(JSON.parse(guest.initLogs[1] as string)).toEqual(guest.initError);
      // AWS's runtime ends with -4.
      expect(await guest.exited()).toBe(252);
    });
  });

  it("tells an exception: the frames of the function alone", async () => {
    await withGuest(ruby, { files: { "index.rb": CASES } }, async (guest) => {
      const { kind, header, value, logs } = await guest.invoke({ case: "mine" });
      expect({ kind, exit: header["exit"] }).toEqual({ kind: "error", exit: false });
      expect(value).toEqual({
        errorMessage: "no luck",
        errorType: "Function<Mine>",
        stackTrace: [
          expect.stringMatching(/\/index\.rb:4:in [`'].*inner'$/) as string,
          expect.stringMatching(/\/index\.rb:9:in [`'].*handler'$/) as string,
        ],
      });
      expect(logs.slice(0, 3)).toEqual(["before", "without newline", "Error raised from handler method"]);
      expect(JSON.parse(logs[3] as string)).toEqual(value);
      expect((await guest.invoke({ case: "none" })).kind).toBe("response");
    });
  });

  it.each([
    ["worse", "Function<Worse>", /^no luck$/],
    ["name", "Function<NameError>", /^undefined local variable or method .nobody_knows' for main/],
    ["method", "Function<NoMethodError>", /^undefined method .nothing' for nil/],
    ["stack", "Function<SystemStackError>", /^stack level too deep$/],
    ["exit", "Function<SystemExit>", /^exit$/],
    ["interrupt", "Function<Interrupt>", /^(Interrupt)?$/],
  ])("is not used again after an error of the kind %s", async (name, errorType, errorMessage) => {
    await withGuest(ruby, { files: { "index.rb": CASES } }, async (guest) => {
      const outcome = await guest.invoke({ case: name });
      expect(outcome).toMatchObject({ kind: "error", header: { exit: true }, value: { errorType } });
      expect((outcome.value as ErrorDocument).errorMessage).toMatch(errorMessage);
      expect(outcome.logs).toContain("Critical exception from handler");
      expect(await guest.exited()).toBe(255);
    });
  });

  it("tells a method that is not there, and one of another form, to the event", async () => {
    await withGuest(ruby, { files: { "index.rb": "def other = 1" } }, async (guest) => {
      expect((await guest.invoke({})).value).toMatchObject({ errorType: "Function<NoMethodError>" });
    });
    await withGuest(ruby, { files: { "index.rb": "def handler(a, b) = 1" } }, async (guest) => {
      const { value, text } = await guest.invoke({});
      expect(value).toMatchObject({ errorType: "Function<ArgumentError>" });
      expect(text).not.toContain("guest/ruby");
    });
  });

  it.each([
    ["exit!", 3, ["before"]],
    ["kill", "SIGKILL", ["before"]],
  ])("has sent every line when the function ends the process: %s %s", async (name, status, lines) => {
    await withGuest(ruby, { files: { "index.rb": CASES } }, async (guest) => {
      const outcome = await guest.invoke({ case: name, status });
      expect(outcome.logs.slice(0, lines.length)).toEqual(lines);
      expect(await guest.exited()).toBe(status);
    });
  });
});

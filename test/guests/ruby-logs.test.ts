// puts and Logger as Lambda sets them up: AWS Lambda Developer Guide, "Log and monitor Ruby Lambda functions", and
// logger_patch.rb and lambda_log_formatter.rb of aws-lambda-ruby-runtime-interface-client.
import { describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import { rubies } from "./interpreters.ts";

const CODE = `
require 'logger'
puts "loading"
LOG = Logger.new($stdout, progname: "mine")
def handler(event:, context:)
  event["lines"]&.times { |i| puts "line #{i}" }
  if event["shapes"]
    puts "first\\nsecond", [3, [4]], :five
    print "no ", "new"
    $stdout.write("line", 1)
    $stderr.puts "to stderr"
    warn "warned"
    p :a
    $stdout << "shovel\\n"
    printf("%03d\\n", 7)
    STDOUT.syswrite("raw\\n")
    puts
  end
  if event["levels"]
    %i[debug info warn error fatal].each { |level| LOG.public_send(level, level.to_s) }
  end
  if event["logger"]
    LOG.info("first\\nsecond")
    begin
      raise KeyError, "k"
    rescue KeyError => e
      LOG.error(e)
    end
    Logger.new(nil).info("nowhere but here")
    own = Logger.new(File.open("/dev/null", "w"))
    own.info("elsewhere")
  end
  4.times.map { |n| Thread.new { 200.times { puts "thread" } } }.each(&:join) if event["threads"]
  Process.wait(fork { puts "from the child" }) if event["fork"]
  raise "no luck" if event["fail"]
  "done"
end
`;

const files = { "index.rb": CODE };

describe.each(rubies())("$name", (ruby) => {
  if (ruby.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  it("prints in order, and answers after that", async () => {
    await withGuest(ruby, { files }, async (guest) => {
      expect(guest.initLogs).toEqual(["loading"]);
      const { value, logs } = await guest.invoke({ lines: 10_000 });
      expect(value).toBe("done");
      expect(logs).toEqual(Array.from({ length: 10_000 }, (_, index) => `line ${index}`));
      const shown = (await guest.invoke({ shapes: true })).logs;
      // One call of puts is one event, as AWS's runtime makes it.
      expect(shown).toEqual([
        "first\nsecond\n3\n4\nfive",
        "to stderr",
        "warned",
        "no newline1:a",
        "shovel",
        "007",
        "",
      ]);
      const threads = (await guest.invoke({ threads: true })).logs;
      expect(threads).toHaveLength(800);
      expect(new Set(threads)).toEqual(new Set(["thread"]));
      // A forked child would tear the channel; the platform reads its lines from the descriptor.
      expect(await guest.invoke({ fork: true })).toMatchObject({ kind: "response", logs: [] });
      await guest.exited();
      expect(guest.stdout).toBe("raw\nfrom the child\n");
      expect(guest.stderr).toBe("");
    });
  });

  it("gives loggers Lambda's form", async () => {
    await withGuest(ruby, { files }, async (guest) => {
      const { logs } = await guest.invoke({ logger: true });
      const stamp = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6} #\\d+";
      expect(logs[0]).toMatch(new RegExp(`^I, \\[${stamp}\\]  INFO request-1 -- mine: first\\nsecond$`));
      expect(logs[1]).toMatch(new RegExp(`^E, \\[${stamp}\\] ERROR request-1 -- mine: k \\(KeyError\\)\\n`));
      expect(logs[2]).toMatch(new RegExp(`^I, \\[${stamp}\\]  INFO request-1 -- : nowhere but here$`));
      expect(logs).toHaveLength(3);
    });
  });

  it.each([
    [undefined, ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]],
    ["TRACE", ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]],
    ["ERROR", ["ERROR", "FATAL"]],
  ])("shows what reaches the application log level %s", async (applicationLogLevel, expected) => {
    await withGuest(ruby, { files, init: { logFormat: "JSON", applicationLogLevel } }, async (guest) => {
      const { logs } = await guest.invoke({ levels: true });
      expect(logs.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
    });
  });

  it("writes JSON records", async () => {
    await withGuest(ruby, { files, init: { logFormat: "JSON" } }, async (guest) => {
      const { logs } = await guest.invoke({ logger: true }, { tenantId: "blue" });
      const [message, failure] = logs.map((line) => JSON.parse(line) as Record<string, unknown>);
      const common = {
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
        requestId: "request-1",
        tenantId: "blue",
        logger: "mine",
      };
      expect(message).toEqual({ ...common, level: "INFO", message: "first\nsecond" });
      expect(failure).toEqual({
        ...common,
        level: "ERROR",
        message: "k",
        errorType: "KeyError",
        errorMessage: "k",
        stackTrace: expect.arrayContaining([expect.stringContaining("index.rb")]) as string[],
        location: expect.stringMatching(/\/index\.rb:.*handler.*:\d+$/) as string,
      });
      expect((await guest.invoke({ fail: true })).value).toMatchObject({
        errorType: "Function<RuntimeError>",
      });
    });
  });
});

// Runtimes that a wrapper script starts (AWS_LAMBDA_EXEC_WRAPPER) or that have extensions beside them: they have their
// variables from the process that they start as, not from `init`.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { has, openApiBench, program } from "../runtime-api/support.ts";
import type { ApiBench } from "../runtime-api/support.ts";
import { withGuest } from "./guest.ts";
import { nodes, pythons, rubies } from "./interpreters.ts";
import { until } from "../support/until.ts";

const FILES = {
  "index.mjs": "export const handler = async () => process.env;",
  "index.py": "import os\ndef handler(event, context):\n  return dict(os.environ)\n",
  "index.rb": "def handler(event:, context:)\n  ENV.to_h\nend\n",
};

describe.each([...nodes(), ...pythons(), ...rubies()])("$name", (interpreter) => {
  it.skipIf(interpreter.path === undefined)("keeps what a wrapper script has added", async () => {
    const script = 'export ADDED="by $0" CHANGED="new $CHANGED"; exec "$@"';
    const wrapped = {
      ...interpreter,
      command: ["/bin/sh", "-c", script, "wrapper", ...interpreter.command],
    };
    const own = { CHANGED: "value", PATH: process.env["PATH"] ?? "" };
    const content = { files: FILES, hostEnvironment: own, init: { environment: undefined } };
    await withGuest(wrapped, content, async (guest) => {
      expect(guest.initError).toBeUndefined();
      const { value } = await guest.invoke({});
      expect(value).toMatchObject({ ADDED: "by wrapper", CHANGED: "new value" });
    });
  });
});

// Lambda's Ruby runtimes begin at 3.2; this test is of how Thaw starts one, which is the same for each.
const [ruby] = rubies();

describe.skipIf(ruby?.path === undefined || !has("python3"))("Ruby beside an extension", () => {
  let bench: ApiBench;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thaw-ruby-"));
    const script = `#!/bin/sh\n[ "$1" = --version ] && { echo "ruby 3.2.99"; exit; }\nexec ${ruby?.path} "$@"\n`;
    writeFileSync(join(folder, "ruby3.2"), script);
    chmodSync(join(folder, "ruby3.2"), 0o755);
    bench = await openApiBench("process", { path: folder });
  });
  afterAll(async () => {
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is started once it has registered, serves events, and is told of the end", async () => {
    const layer = await bench.layer({ "extensions/watcher": program("extension.py") });
    const spec = await bench.spec(
      { "index.rb": "def handler(event:, context:)\n  puts 'ruby speaks'\n  event\nend\n" },
      { runtime: "ruby3.2", layers: [layer], environment: bench.variables },
    );
    for (const n of [1, 2]) {
      const answer = await bench.invoke(spec, { n });
      expect(answer.payload).toEqual({ n });
      expect(answer.tail).toContain("ruby speaks\n");
      expect(answer.tail).toContain(`[watcher] invoke ${answer.requestId}`);
    }
    bench.engine.retire(spec.id);
    await until(() => expect(bench.log()).toContain("[watcher] shutdown for spindown"));
  });
});

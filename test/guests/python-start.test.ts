// What a Python guest loads of the standard library, and when: guest/python/_lambda/deferred.py and jsontext.py.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import { pythons } from "./interpreters.ts";

const GUEST = resolve(import.meta.dirname, "../../guest/python");

const LATER = ["json", "re", "enum", "functools", "threading", "logging", "traceback", "importlib.util"];

const CODE = `
import sys
EARLY = [name for name in ("json", "logging", "traceback") if name in sys.modules]
import logging, string, keyword, json

def handler(event, context):
    logging.getLogger("mine").warning("told")
    if "fail" in event: raise ValueError("out of range")
    return {"early": EARLY, "letters": string.ascii_lowercase[:3], "keyword": keyword.iskeyword("if"), "json": json.dumps([1])}
`;

/** A function that has modules of its own by names that AWS's runtime has loaded already. */
const NAMESAKES = Object.fromEntries(
  ["string", "keyword", "traceback", "logging/__init__", "json", "re"].map((name) => [
    `${name}.py`,
    "raise RuntimeError('the function has a module by this name')",
  ]),
);

/** Runs code with the guest's modules on the path. @returns what it prints, as JSON */
function run(path: string, code: string): unknown {
  const script = `import sys\nsys.path.insert(0, ${JSON.stringify(GUEST)})\n${code}`;
  const { stdout, stderr, status } = spawnSync(path, ["-B", "-s", "-S", "-c", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return JSON.parse(stdout) as unknown;
}

/** Texts and values by which the guest's JSON could differ from the interpreter's own. */
const COMPARE = `
import random
from _lambda import jsontext
quick = [name for name in ("json", "re") if name in sys.modules]
import json

texts = ["", " ", "null", " null\\t", "\\n{}\\r", "{} {}", "nul", "NaN", "-Infinity", "[1,]", '{"a":1,"a":2}', '"\\\\ud800"',
  '"a\\\\u00e9\\U0001f600"', '"\\t"', "\\ufeff1", "\\u00a01", "1e999", "-0", "01", "1.5e3", "[" * 50, "9" * 40, "9" * 5000, "'a'",
  '{"a" :[true,false , null]}', '{1:2}', '"unended', "[[[1]]] ]"]
generator = random.Random(7)
def value(depth):
    kind = generator.randrange(9 if depth else 7)
    if kind == 0: return generator.choice([None, True, False])
    if kind == 1: return generator.randrange(-10**20, 10**20)
    if kind == 2: return generator.uniform(-1e10, 1e10)
    if kind == 3: return generator.choice([float("nan"), float("inf"), 1e16, 5e-324, -0.0, 10**30])
    if kind < 7: return "".join(chr(generator.choice([34, 92, 10, 127, 233, 0x2028, 0x1f600, 0xd800, 65])) for _ in range(generator.randrange(5)))
    if kind == 7: return [value(depth - 1) for _ in range(generator.randrange(4))]
    return {generator.choice(["a", "\\u00e9", 1, 2.5, None, True]): value(depth - 1) for _ in range(generator.randrange(4))}
class Text(str): pass
class Number(int): pass
ring = []
ring.append(ring)
values = [value(4) for _ in range(500)] + [Text("t"), Number(4), {Text("k"): (1, 2)}, {1, 2}, {"s": b"x"}, {(1, 2): 3}, ring, object(), [json]]
texts += [json.dumps(one, ensure_ascii=generator.random() < 0.5) for one in values[:500]]

def outcome(call, *arguments, **options):
    try: return repr(call(*arguments, **options)).replace(hex(id(values[-2])), "")
    except Exception as error: return "%s: %s %s" % (type(error).__name__, error, getattr(error, "__notes__", ""))

def pair(own, theirs): return None if own == theirs else [own, theirs]
different = [pair(outcome(jsontext.loads, text), outcome(json.loads, text)) for text in texts]
for one in values:
    for ascii_only in (True, False):
        for separators in ((", ", ": "), (",", ":")):
            different.append(pair(outcome(jsontext.dumps, one, ascii_only=ascii_only, separators=separators),
                outcome(json.dumps, one, ensure_ascii=ascii_only, separators=separators)))
print(json.dumps({"quick": quick, "compared": len(different), "different": [one for one in different if one][:3]}))
`;

describe.each(pythons())("$name", (python) => {
  const { path } = python;
  if (path === undefined) {
    it.skip("is not on this host");
    return;
  }

  it("loads none of what many functions do without", () => {
    const code = `
from _lambda import jsontext, runtime
loaded = [name for name in ${JSON.stringify(LATER)} if name in sys.modules]
print(jsontext.dumps(loaded))`;
    expect(run(path, code)).toEqual([]);
  });

  it("hides those modules of a function that AWS's runtime hides by loading the standard library's, and no others", () => {
    const code = `
from _lambda import deferred, runtime
started = set(sys.modules)
deferred.load()
loaded = {name for name in set(sys.modules) - started
    if "." not in name and str(getattr(sys.modules[name], "__file__", "")).endswith(".py")}
import json
print(json.dumps([sorted(deferred._NAMES - set(sys.modules)), sorted(loaded - deferred._NAMES)]))`;
    expect(run(path, code)).toEqual([[], []]);
  });

  it("gives the logger to a function that loads it again as it gives it to any program", async () => {
    const code = `
import importlib, logging
importlib.reload(logging)
logging.basicConfig(format="mine: %(message)s")
def handler(event, context): logging.warning("told")`;
    await withGuest(python, { files: { "index.py": code } }, async (guest) => {
      expect((await guest.invoke({})).logs).toEqual(["mine: told"]);
    });
  });

  it("reads and writes JSON as the interpreter's own module does, errors included", () => {
    expect(run(path, COMPARE)).toEqual({ quick: [], compared: 2564, different: [] });
  });

  it("has the standard library's modules, and Lambda's logger, whatever the function brings", async () => {
    for (const logFormat of ["Text", "JSON"]) {
      const content = { files: { "index.py": CODE, ...NAMESAKES }, init: { logFormat } };
      // oxlint-disable-next-line no-await-in-loop
      await withGuest(python, content, async (guest) => {
        const { value, logs } = await guest.invoke({});
        expect(value).toMatchObject({ letters: "abc", keyword: true, json: "[1]" });
        expect(logs).toEqual([
          logFormat === "Text"
            ? expect.stringMatching(/^\[WARNING\]\t\S+Z\trequest-1\ttold$/)
            : expect.stringMatching(/"level": "WARNING", "message": "told", "logger": "mine"/),
        ]);
        const failed = await guest.invoke({ fail: true });
        expect(failed.value).toMatchObject({
          errorType: "ValueError",
          stackTrace: [expect.stringMatching(/index\.py", line 8, in handler\n.*raise ValueError/)],
        });
      });
    }
  });

  it("has loaded them by the time that its function comes, where that takes a while", async () => {
    await withGuest(python, { files: { "index.py": CODE }, late: true }, async (guest) => {
      const { value, logs } = await guest.invoke({});
      expect(value).toMatchObject({ early: ["json", "logging", "traceback"], letters: "abc" });
      expect(logs).toEqual([expect.stringMatching(/^\[WARNING\]\t\S+Z\trequest-1\ttold$/)]);
    });
  });
});

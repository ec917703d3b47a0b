import { afterEach, describe, expect, it } from "vitest";
import { Guest } from "./guest.ts";
import type { Package } from "./guest.ts";
import { pythons } from "./interpreters.ts";

const SNAP_START = { init: { initType: "snap-start" } } as const;

const PREAMBLE = `
import snapshot_restore_py
from snapshot_restore_py import register_after_restore, register_before_snapshot
told = []
def handler(event, context):
    return eval(event, globals())
`;

let open: Guest[] = [];
const start = async (interpreter: Parameters<typeof Guest.open>[0], content: Package): Promise<Guest> => {
  const guest = await Guest.open(interpreter, content);
  open.push(guest);
  return guest;
};
afterEach(async () => {
  await Promise.all(open.map((guest) => guest.close()));
  open = [];
});

describe.each(pythons())("SnapStart in $name", (interpreter) => {
  const test = it.skipIf(interpreter.path === undefined);

  test("takes fresh variables over before the hooks run", async () => {
    const code = `${PREAMBLE}
import os
register_after_restore(lambda: told.append(os.environ["AWS_SESSION_TOKEN"]))`;
    const environment = { AWS_SESSION_TOKEN: "old", KEPT: "kept" };
    const guest = await start(interpreter, { ...SNAP_START, files: { "index.py": code }, environment });
    expect((await guest.invoke("told")).value).toEqual([]);
    expect((await guest.restore({ AWS_SESSION_TOKEN: "fresh" })).kind).toBe("response");
    expect((await guest.invoke("told + [os.environ['KEPT']]")).value).toEqual(["fresh", "kept"]);
  });

  test("runs no hooks where it was not initialised for a snapshot", async () => {
    const code = `${PREAMBLE}
register_before_snapshot(lambda: told.append("before"))`;
    const guest = await start(interpreter, { files: { "index.py": code } });
    expect((await guest.invoke("told")).value).toEqual([]);
  });

  test("gives decorators and calls back what they were given", async () => {
    const code = `${PREAMBLE}
@register_before_snapshot
def hook(): pass
same = register_after_restore(hook, 1, two=2) is hook
registered = [len(snapshot_restore_py.get_before_snapshot()), snapshot_restore_py.get_after_restore()[0][1:]]`;
    const guest = await start(interpreter, { files: { "index.py": code } });
    expect((await guest.invoke("[same, registered]")).value).toEqual([true, [1, [[1], { two: 2 }]]]);
  });

  test("asks the hooks that a function brings in its own package", async () => {
    const own = `
before, after = [], []
def register_before_snapshot(func, *args, **kwargs): before.append((func, args, kwargs))
def register_after_restore(func, *args, **kwargs): after.append((func, args, kwargs))
def get_before_snapshot(): return before
def get_after_restore(): return after`;
    const code = `${PREAMBLE}
register_before_snapshot(told.append, "before")
register_after_restore(told.append, "after")`;
    const files = { "index.py": code, "snapshot_restore_py/__init__.py": own };
    const guest = await start(interpreter, { ...SNAP_START, files });
    await guest.restore();
    expect((await guest.invoke("told")).value).toEqual(["before", "after"]);
  });

  test("seeds random numbers anew, so that what a function seeded does not repeat", async () => {
    const code = `${PREAMBLE}
import random
random.seed(7)`;
    const files = { "index.py": code };
    const draw = async (restored: boolean): Promise<unknown> => {
      const guest = await start(interpreter, { ...SNAP_START, files });
      if (restored) await guest.restore();
      return (await guest.invoke("random.random()")).value;
    };
    expect(await draw(false)).toBe(await draw(false));
    expect(await draw(true)).not.toBe(await draw(true));
  });

  test("logs a hook that fails after a restore, answers its error and ends", async () => {
    const code = `${PREAMBLE}
register_after_restore(lambda: print("trying") or {}["missing"])`;
    const guest = await start(interpreter, { ...SNAP_START, files: { "index.py": code } });
    const failed = await guest.restore();
    expect(failed.kind).toBe("error");
    expect(failed.header).toMatchObject({ exit: true });
    expect(failed.value).toMatchObject({
      errorType: "Runtime.AfterRestoreError",
      errorMessage: "KeyError: 'missing'",
    });
    expect(failed.logs[0]).toBe("trying");
    expect(failed.logs.at(-1)).toContain("[ERROR] Runtime.AfterRestoreError: KeyError: 'missing'\nTraceback");
    expect((await guest.invoke("1")).kind).toBe("exit");
  });
});

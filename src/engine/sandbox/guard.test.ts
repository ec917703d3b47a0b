import { PassThrough } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import type { Mock } from "vitest";
import type { SandboxExit, SandboxListener } from "./contract.ts";
import { FakeBackend, PLAIN_SANDBOX } from "../../../test/engine/fake-sandbox.ts";
import { guarded } from "./guard.ts";

function listener(): SandboxListener & { exiting: Mock<() => void>; exits: SandboxExit[]; bytes: number } {
  return {
    exiting: vi.fn<() => void>(),
    exits: [],
    bytes: 0,
    frames(chunk) {
      this.bytes += chunk.length;
    },
    output(_descriptor, chunk) {
      this.bytes += chunk.length;
    },
    exited(exit) {
      this.exits.push(exit);
    },
  };
}

describe("the guard", () => {
  it("tells of death once and passes nothing on afterwards", async () => {
    const backend = new FakeBackend();
    const seen = listener();
    const sandbox = guarded(backend).start(PLAIN_SANDBOX, seen);
    const inner = backend.started[0];
    inner?.listener.frames(Buffer.from("abc"));
    inner?.listener.exiting();
    inner?.exit({ status: 1 });
    inner?.listener.exiting();
    inner?.exit({ status: 2 });
    inner?.listener.frames(Buffer.from("abc"));
    inner?.listener.output(1, Buffer.from("abc"));
    sandbox.send(Buffer.from("x"));
    expect(seen.exiting).toHaveBeenCalledOnce();
    expect(seen.exits.map((exit) => exit.status)).toEqual([1]);
    expect(seen.bytes).toBe(3);
    expect(inner?.sent).toEqual([]);
  });

  it("connects to the living alone, and only where the back end can", async () => {
    const backend = new FakeBackend();
    const sandbox = guarded(backend).start(PLAIN_SANDBOX, listener());
    expect(sandbox.connect).toBeUndefined();
    const inner = backend.started[0];
    if (inner === undefined) throw new Error("nothing was started");
    const made = new PassThrough();
    Object.assign(inner, { connect: () => Promise.resolve(made) });
    const { connect } = sandbox;
    expect(await connect?.(80)).toBe(made);
    inner.exit({ status: 0 });
    await expect(connect?.(80)).rejects.toThrow("dead");
  });

  it("kills once, however often it is asked", async () => {
    const backend = new FakeBackend();
    const sandbox = guarded(backend).start(PLAIN_SANDBOX, listener());
    await Promise.all([sandbox.kill(), sandbox.kill()]);
    await sandbox.kill();
    expect(backend.started[0]?.kills).toBe(1);
  });

  it("tells a start that throws as an exit with its error", async () => {
    const backend = new FakeBackend();
    backend.start = () => {
      throw new Error("no room");
    };
    const seen = listener();
    const sandbox = guarded(backend).start(PLAIN_SANDBOX, seen);
    await Promise.resolve();
    expect(seen.exits.map((exit) => exit.error?.message)).toEqual(["no room"]);
    await sandbox.kill();
  });

  it("kills what lives when it closes", async () => {
    const backend = new FakeBackend();
    const guard = guarded(backend);
    guard.start(PLAIN_SANDBOX, listener());
    guard.start(PLAIN_SANDBOX, listener());
    await guard.close();
    expect(backend.started.map((sandbox) => sandbox.kills)).toEqual([1, 1]);
  });
});

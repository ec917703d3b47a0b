import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";

const guest = resolve(import.meta.dirname, "../../guest");

function frame(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1);
  head[4] = type;
  return Buffer.concat([head, body]);
}

/** Sends `init` and one event, ends the input, and returns everything the guest wrote. */
async function serve(command: string[], taskRoot: string): Promise<Buffer> {
  const child = spawn(command[0] ?? "", command.slice(1), {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const init = { handler: "index.handler", taskRoot, environment: {}, memoryMb: 128, logFormat: "Text" };
  const header = Buffer.from(JSON.stringify({ requestId: "r-1", deadlineMs: 0, invokedFunctionArn: "a" }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(header.length);
  const event = Buffer.concat([length, header, Buffer.from('{"name":"x"}')]);
  const input = child.stdio[3] as Writable;
  input.end(Buffer.concat([frame(1, Buffer.from(JSON.stringify(init))), frame(2, event)]));
  const written: Buffer[] = [];
  for await (const chunk of child.stdio[4] as Readable) written.push(chunk as Buffer);
  return Buffer.concat(written);
}

test.each([
  [
    "node",
    [process.execPath, join(guest, "nodejs/bootstrap.mjs")],
    "index.js",
    "exports.handler = async (event) => event.name;",
  ],
  [
    "python",
    ["python3", "-S", join(guest, "python/bootstrap.py")],
    "index.py",
    "def handler(event, context):\n    return event['name']\n",
  ],
] as const)("a %s function answers an event", async (_name, command, file, code) => {
  const taskRoot = mkdtempSync(join(tmpdir(), "guest-"));
  try {
    writeFileSync(join(taskRoot, file), code);
    const written = await serve([...command], taskRoot);
    expect(written[4]).toBe(0x81);
    expect(written.subarray(-3).toString()).toBe('"x"');
  } finally {
    rmSync(taskRoot, { recursive: true });
  }
});

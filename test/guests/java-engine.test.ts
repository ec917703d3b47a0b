// Java functions from their package to the answer, through the engine.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBench } from "../engine/support.ts";
import type { Bench } from "../engine/support.ts";
import { JavaPackage, jdks } from "./jdk.ts";

const SOURCES = {
  "example/Handler.java": `package example;
import com.amazonaws.services.lambda.runtime.*;
import java.util.*;
public class Handler implements RequestHandler<Map<String, String>, Map<String, Object>> {
  @Override public Map<String, Object> handleRequest(Map<String, String> event, Context context) {
    context.getLogger().log("hi");
    if (event.containsKey("fail")) throw new IllegalStateException("no");
    if (event.containsKey("exit")) System.exit(4);
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("id", context.getAwsRequestId());
    map.put("memory", Runtime.getRuntime().maxMemory() >> 20);
    map.put("env", System.getenv());
    map.put("layer", Handler.class.getClassLoader().getResource("inside/Layered.class") != null);
    return map;
  }
}`,
  "inside/Layered.java": "package inside; public class Layered {}",
};

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

function entries(folder: string, prefix = ""): { name: string; data: Uint8Array }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: prefix + path.slice(folder.length + 1), data: readFileSync(path) }));
}

it.for(await jdks())("runs a function on $name", async (jdk, { skip }) => {
  skip(jdk.path === undefined, `${jdk.name} is not on this host`);
  const runtime = jdk.name.split(" ")[0] as string;
  const code = new JavaPackage(jdk, SOURCES);
  try {
    code.pack(jdk, "layered.jar", "inside");
    const layer = await bench.package([
      { name: "java/lib/layered.jar", data: readFileSync(join(code.folder, "layered.jar")) },
    ]);
    const spec = await bench.spec({}, { runtime, handler: "example.Handler", memoryMb: 512 });
    const packed = { ...spec, code: await bench.package(entries(code.folder)), layers: [layer] };
    const answer = await bench.invoke(packed);
    expect(answer).toMatchObject({
      functionError: undefined,
      payload: { id: answer.requestId, layer: true },
    });
    expect(answer.payload).toMatchObject({
      env: { AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`, _HANDLER: "example.Handler" },
    });
    // 85 % of the memory, less what SerialGC keeps for one survivor space.
    expect((answer.payload as { memory: number }).memory).toBeGreaterThan(400);
    expect((answer.payload as { memory: number }).memory).toBeLessThanOrEqual(436);
    expect(answer.tail).toContain("hi\nEND RequestId");
    expect(await bench.invoke(packed, { fail: "1" })).toMatchObject({
      functionError: "Unhandled",
      payload: { errorType: "java.lang.IllegalStateException", errorMessage: "no" },
    });
    expect(await bench.invoke(packed, { exit: "1" })).toMatchObject({
      functionError: "Unhandled",
      payload: { errorType: "Runtime.ExitError" },
    });
    const published = { ...packed, id: `${packed.id} 1`, version: "1", snapStart: true };
    expect(await bench.engine.snapshot(published)).toBe(true);
    const restored = await bench.invoke(published);
    expect(restored.payload).toMatchObject({ env: { AWS_LAMBDA_INITIALIZATION_TYPE: "snap-start" } });
    expect(restored.tail).toContain("Restore Duration");
    expect(bench.lines.some(({ message }) => message.startsWith("INIT_START Runtime Version: java:"))).toBe(
      true,
    );
  } finally {
    code.remove();
  }
});

// Java functions from their package to the answer, through the engine.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { has, openApiBench, program, WALLS } from "../runtime-api/support.ts";
import type { ApiBench } from "../runtime-api/support.ts";
import { JavaPackage, jdks } from "./jdk.ts";
import { until } from "../support/until.ts";

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
    map.put("io", new java.io.File("example/Handler.class").exists());
    map.put("nio", java.nio.file.Files.exists(java.nio.file.Paths.get("example/Handler.class")));
    map.put("layer", Handler.class.getClassLoader().getResource("inside/Layered.class") != null);
    return map;
  }
}`,
  "inside/Layered.java": "package inside; public class Layered {}",
};

function entries(folder: string, prefix = ""): { name: string; data: Uint8Array }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ name: prefix + path.slice(folder.length + 1), data: readFileSync(path) }));
}

const found = await jdks();

describe.each(WALLS)("in $walls", ({ walls, missing }) => {
  describe.skipIf(missing !== undefined)(missing ?? "Java", () => {
    let bench: ApiBench;
    beforeAll(async () => {
      bench = await openApiBench(walls);
    });
    afterAll(() => bench.close());

    it.for(found)("runs a function on $name", async (jdk, { skip }) => {
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
          payload: { id: answer.requestId, layer: true, io: true, nio: true },
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
        expect(
          bench.lines.some(({ message }) => message.startsWith("INIT_START Runtime Version: java:")),
        ).toBe(true);
      } finally {
        code.remove();
      }
    });

    it.for(found)("starts $name by a wrapper script, beside an extension", async (jdk, { skip }) => {
      skip(jdk.path === undefined, `${jdk.name} is not on this host`);
      skip(!has("python3"), "needs python3");
      skip(walls === "process", "a layer is not at /opt there");
      const code = new JavaPackage(jdk, SOURCES);
      try {
        const layer = await bench.layer({
          wrapper: '#!/bin/sh\nexport WRAPPED="$*"\nexec "$@"\n',
          "extensions/watcher": program("extension.py"),
        });
        const spec = await bench.spec(
          {},
          {
            runtime: jdk.name.split(" ")[0] as string,
            handler: "example.Handler",
            memoryMb: 512,
            name: "wrapped-java",
            code: await bench.package(entries(code.folder)),
            layers: [layer],
            environment: { AWS_LAMBDA_EXEC_WRAPPER: "/opt/wrapper" },
          },
        );
        for (const round of [1, 2]) {
          const answer = await bench.invoke(spec, { round: String(round) });
          expect(answer.payload).toMatchObject({
            id: answer.requestId,
            io: true,
            env: { WRAPPED: expect.stringMatching(/java .*-jar /) as string },
          });
          expect(answer.tail).toContain(`[watcher] invoke ${answer.requestId}`);
        }
        bench.engine.retire(spec.id);
        await until(() => expect(bench.log()).toContain("[watcher] shutdown for spindown"));
      } finally {
        code.remove();
      }
    });
  });
});

// Imported into a platform under test: tells its memory after collection, over the channel of the process.
import { getHeapCodeStatistics } from "node:v8";
import { isMainThread } from "node:worker_threads";

if (isMainThread && process.channel !== undefined) {
  process.on("message", async (message) => {
    if (message !== "memory") return;
    for (let round = 0; round < 4; round++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { heapUsed, rss } = process.memoryUsage();
    const { code_and_metadata_size: code, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics();
    process.send({ heapUsed, heapData: heapUsed - code - bytecode, rss });
  });
  process.channel.unref();
}

// Imported into a platform under test: tells its memory after collection, over the channel of the process.
import { isMainThread } from "node:worker_threads";

if (isMainThread && process.channel !== undefined) {
  process.on("message", async (message) => {
    if (message !== "memory") return;
    for (let round = 0; round < 4; round++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { heapUsed, rss } = process.memoryUsage();
    process.send({ heapUsed, rss });
  });
  process.channel.unref();
}

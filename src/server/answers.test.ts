import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { PassThrough, type Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type HttpResponse, listen, type Listener } from "./listener.ts";

let listener: Listener;
let answer: () => Promise<HttpResponse>;

beforeEach(async () => {
  listener = await listen({
    host: "127.0.0.1",
    port: 0,
    maxBodyBytes: 1 << 20,
    handle: () => answer(),
    onError: () => undefined,
  });
});
afterEach(() => listener.close());

/** @returns the body, or how the connection ended */
async function ask(): Promise<string> {
  const outgoing = request(listener.url);
  outgoing.end();
  try {
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    return (await buffer(response)).toString();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  }
}

it("come each to its own caller, also where many are ready at once", async () => {
  let number = 0;
  const waiting: ((response: HttpResponse) => void)[] = [];
  answer = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length < 8) return;
      for (const each of waiting) {
        const failing = number % 4 === 3;
        each({ status: 200, headers: failing ? { x: "a\nb" } : {}, body: `${number++}` });
      }
    });
  const answers = await Promise.all(Array.from({ length: 8 }, ask));
  expect(answers.toSorted()).toEqual(["", "", "0", "1", "2", "4", "5", "6"]);
});

const broken: readonly (readonly [string, () => Readable])[] = [
  ["before it is written", () => new PassThrough().destroy()],
  [
    "as it is written",
    () => {
      const body = new PassThrough();
      body.write("part");
      setImmediate(() => body.destroy(new Error("broken off")));
      return body;
    },
  ],
];
it.each(broken)("that stream and break off %s cut their connection", async (_when, body) => {
  answer = async () => ({ status: 200, headers: {}, body: body() });
  expect(await ask()).toBe("ECONNRESET");
});

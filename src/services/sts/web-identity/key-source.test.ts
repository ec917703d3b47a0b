import { createServer } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { ManualClock } from "#core/clock";
import { fetchDocument } from "./fetch-document.ts";
import { createKeySource } from "./key-source.ts";

const ISSUER = "https://idp.example";

function setUp(discovery: object = { jwks_uri: `${ISSUER}/keys` }) {
  const clock = new ManualClock();
  const asked: string[] = [];
  const published = { keys: [{ kid: "a" }] };
  const source = createKeySource(clock, (url) => {
    asked.push(url);
    return Promise.resolve(url.endsWith("/keys") ? { ...published } : discovery);
  });
  return { clock, asked, published, source };
}

it("asks once for the keys of many tokens, and again when they are old", async () => {
  const { clock, asked, source } = setUp();
  await Promise.all([source.keysOf(ISSUER, "a"), source.keysOf(ISSUER, "a")]);
  expect(asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`]);
  clock.advance(3_600_000);
  await source.keysOf(ISSUER, "a");
  expect(asked).toHaveLength(4);
});

it("asks again for a new key's id, but not for every id that somebody makes up", async () => {
  const { clock, asked, published, source } = setUp();
  await source.keysOf(ISSUER, "a");
  published.keys = [{ kid: "b" }];
  expect(await source.keysOf(ISSUER, "b")).toEqual([{ kid: "a" }]);
  expect(asked).toHaveLength(2);
  clock.advance(10_000);
  expect(await source.keysOf(ISSUER, "b")).toEqual([{ kid: "b" }]);
  expect(await source.keysOf(ISSUER, "made-up")).toEqual([{ kid: "b" }]);
  expect(asked).toHaveLength(4);
});

it.each([{}, { jwks_uri: 5 }, { jwks_uri: "http://idp.example/keys" }, { jwks_uri: "file:///etc/passwd" }])(
  "takes no keys from %j",
  async (discovery) => {
    const { asked, source } = setUp(discovery);
    await expect(source.keysOf(ISSUER, "a")).rejects.toThrow("Couldn't retrieve verification key");
    expect(asked).toHaveLength(1);
  },
);

it("reads small documents alone, and follows nobody elsewhere", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/moved") response.writeHead(302, { location: "/small" }).end();
    else response.end(request.url === "/small" ? '{"a":1}' : `"${"x".repeat(300_000)}"`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  expect(await fetchDocument(`${base}/small`)).toEqual({ a: 1 });
  await expect(fetchDocument(`${base}/large`)).rejects.toMatchObject({ code: "InvalidIdentityToken" });
  await expect(fetchDocument(`${base}/moved`)).rejects.toMatchObject({ code: "IDPCommunicationError" });
});

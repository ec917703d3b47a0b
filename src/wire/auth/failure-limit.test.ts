import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { AwsError } from "#core/errors";
import { rootPrincipal } from "#core/principal";
import { limitFailures } from "./failure-limit.ts";
import type { AuthRequest } from "./types.ts";

function setUp() {
  const clock = new ManualClock();
  let asked = 0;
  const authenticate = limitFailures((request) => {
    asked++;
    if (request.path === "/wrong") throw new AwsError("InvalidSignatureException", "wrong");
    if (request.path === "/late") return Promise.reject(new AwsError("SignatureDoesNotMatch", "wrong"));
    if (request.path === "/unsigned") throw new AwsError("MissingAuthenticationTokenException", "none");
    const principal = rootPrincipal("000000000000");
    return { principal, region: "us-east-1", service: "lambda", body: Buffer.alloc(0), trailers: {} };
  }, clock);
  const from = async (remoteAddress: string, path: string) => {
    const request: AuthRequest = {
      method: "GET",
      path,
      query: "",
      headers: {},
      body: Buffer.alloc(0),
      remoteAddress,
    };
    try {
      await authenticate(request);
      return "accepted";
    } catch (error) {
      return error instanceof AwsError ? error.code : error;
    }
  };
  const fail = async (address: string, path: string, times: number) => {
    for (let left = times; left > 0; left--) await from(address, path);
  };
  return { clock, from, fail, asked: () => asked };
}

it("refuses an address that goes on signing wrongly without looking, until its minute is over", async () => {
  const { clock, from, fail, asked } = setUp();
  await fail("10.0.0.7", "/wrong", 15);
  await fail("10.0.0.7", "/late", 14);
  expect(await from("10.0.0.7", "/")).toBe("accepted");
  expect(await from("10.0.0.7", "/wrong")).toBe("InvalidSignatureException");
  const before = asked();
  expect(await from("10.0.0.7", "/")).toBe("ThrottlingException");
  expect(asked()).toBe(before);
  expect(await from("10.0.0.8", "/")).toBe("accepted");
  clock.advance(60_000);
  expect(await from("10.0.0.7", "/")).toBe("accepted");
});

it("counts neither this machine's failures nor requests that are not signed", async () => {
  const { from, fail } = setUp();
  await fail("127.0.0.1", "/wrong", 40);
  await fail("10.0.0.7", "/unsigned", 40);
  expect(await from("127.0.0.1", "/")).toBe("accepted");
  expect(await from("10.0.0.7", "/")).toBe("accepted");
});

it("remembers a bounded number of addresses", async () => {
  const { from, fail } = setUp();
  await fail("10.0.0.7", "/wrong", 30);
  expect(await from("10.0.0.7", "/")).toBe("ThrottlingException");
  for (let address = 0; address < 10_000; address++) await from(`fd00::${address.toString(16)}`, "/wrong");
  expect(await from("10.0.0.7", "/")).toBe("accepted");
});

import { describe, expect, it } from "vitest";
import { isLoopback } from "./loopback.ts";

describe("isLoopback", () => {
  it.each([
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::FFFF:127.1.2.3",
    "localhost",
  ])("%s is", (host) => expect(isLoopback(host)).toBe(true));
  it.each([
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "127.0.0.1.example.com",
    "127.0.0.999",
    "127.1",
    "::ffff:10.0.0.1",
    "::ffff:::1",
    "128.0.0.1",
    "localhost.example.com",
    "",
  ])("%s is not", (host) => expect(isLoopback(host)).toBe(false));
});

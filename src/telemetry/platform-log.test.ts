import { expect, it } from "vitest";
import { createPlatformLog } from "./platform-log.ts";

function lines(json: boolean) {
  const written: string[] = [];
  const log = createPlatformLog({
    level: "info",
    json,
    stream: { write: (text: string) => written.push(text) },
  });
  return { log, written };
}

it("never writes secrets", () => {
  const { log, written } = lines(true);
  log.info({
    headers: { authorization: "s3cret", "x-amz-security-token": "s3cret" },
    request: { headers: { authorization: "s3cret" } },
  });
  log.info({
    input: { Environment: { Variables: { KEY: "s3cret" } } },
    Environment: { Variables: { KEY: "s3cret" } },
  });
  expect(written).toHaveLength(2);
  expect(written.join("")).not.toContain("s3cret");
  expect(written.join("")).toContain("[redacted]");
});

it("writes short lines for a terminal, one a message", () => {
  const { log, written } = lines(false);
  log.debug("hidden");
  log.warn({ port: 4566 }, "two\nlines");
  expect(written).toHaveLength(1);
  expect(written[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} warn {2}two\\nlines port=4566\n$/u);
});

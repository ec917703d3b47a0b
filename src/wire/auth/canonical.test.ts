import { describe, expect, it } from "vitest";
import { canonicalPath, canonicalQuery, canonicalRequest, canonicalS3Path } from "./canonical.ts";

describe("canonical requests", () => {
  it.each([
    ["", "/"],
    ["/a//b/./c/../d/", "/a/b/d/"],
    ["/functions/arn%3Aaws", "/functions/arn%253Aaws"],
    ["/functions/arn:aws", "/functions/arn%3Aaws"],
    ["/../..", "/"],
  ])("normalise and encode the path %j as %j", (path, canonical) => {
    expect(canonicalPath(path)).toBe(canonical);
  });

  it.each([
    ["/b//k/../x", "/b//k/../x"],
    ["/b/%c3%a9:%7E%zz", "/b/%C3%A9%3A~%25zz"],
  ])("keep S3's path %j as %j", (path, canonical) => {
    expect(canonicalS3Path(path)).toBe(canonical);
  });

  it.each([
    ["b=2&a=1&a=0&a", "a=&a=0&a=1&b=2"],
    ["a-b=1&a=2", "a=2&a-b=1"],
    ["x=1+2&y=a%2bb&z=%e2%82%ac", "x=1%202&y=a%2Bb&z=%E2%82%AC"],
    ["k=a=b&&", "k=a%3Db"],
    ["X-Amz-Signature=0&a=%2", "a=%252"],
  ])("sort and encode the query %j as %j", (query, canonical) => {
    expect(canonicalQuery(query)).toBe(canonical);
  });

  it("unfold header values and find no inherited ones", () => {
    const text = canonicalRequest({
      method: "GET",
      path: "/",
      query: "",
      signedHeaders: "constructor;host;x",
      headers: { host: " h ", x: "a  b\r\n\tc" },
      payloadHash: "0",
      tightCommas: false,
    });
    expect(text).toBe("GET\n/\n\nconstructor:\nhost:h\nx:a b c\n\nconstructor;host;x\n0");
  });
});

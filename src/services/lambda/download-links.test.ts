import { expect, test } from "vitest";
import { ManualClock } from "#core/clock";
import { createDownloadLinks } from "./download-links.ts";

const blob = "ab".repeat(32);
const split = (url: string) => [new URL(url).pathname, new URL(url).search.slice(1)] as const;

test("a link works until it expires", () => {
  const clock = new ManualClock();
  const links = createDownloadLinks({ key: "secret", clock });
  const [path, query] = split(links.url("http://localhost:4566", blob));
  expect(links.verify(path, query)).toBe(blob);
  clock.advance(10 * 60_000);
  expect(links.verify(path, query)).toBe(blob);
  clock.advance(1);
  expect(links.verify(path, query)).toBeUndefined();
});

test("a link for other code, another time or another key does not work", () => {
  const clock = new ManualClock();
  const links = createDownloadLinks({ key: "secret", clock });
  const [path, query] = split(links.url("http://localhost:4566", blob));
  expect(links.verify(path.replace("ab", "cd"), query)).toBeUndefined();
  expect(links.verify(path, query.replace("expires=", "expires=9"))).toBeUndefined();
  expect(links.verify(path, query.slice(0, -2))).toBeUndefined();
  expect(links.verify(path, "")).toBeUndefined();
  expect(links.verify("/_thaw/code/../../etc/passwd", query)).toBeUndefined();
  expect(createDownloadLinks({ key: "other", clock }).verify(path, query)).toBeUndefined();
});

import { expect, it } from "vitest";
import { reachable } from "./reachable.ts";

const HOST = "http://127.0.0.1:4566";
const GUEST = "http://169.254.116.1:4566";

it.each([
  ["http://127.0.0.1:4566/000000000000/queue", "http://169.254.116.1:4566/000000000000/queue"],
  ["http://localhost:4566/000000000000/queue", "http://169.254.116.1:4566/000000000000/queue"],
  ["http://127.0.0.1:4566", "http://169.254.116.1:4566"],
  // Other ports, other hosts, and what merely contains the address are none of the platform's.
  ["http://127.0.0.1:45660/queue", "http://127.0.0.1:45660/queue"],
  ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/"],
  ["see http://127.0.0.1:4566/", "see http://127.0.0.1:4566/"],
  ["", ""],
])("gives a function %s as %s", (value, seen) => {
  expect(reachable({ QUEUE_URL: value }, [HOST], GUEST)).toEqual({ QUEUE_URL: seen });
});

it("leaves everything where the function is on the host", () => {
  const variables = { QUEUE_URL: `${HOST}/000000000000/queue` };
  expect(reachable(variables, [HOST], HOST)).toBe(variables);
});

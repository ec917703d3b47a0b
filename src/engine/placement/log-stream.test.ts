import { expect, it } from "vitest";
import { logStreamName } from "./log-stream.ts";

const nameIn = (group: string) =>
  logStreamName(
    {
      name: "cart",
      version: "$LATEST",
      logging: { group, format: "Text", applicationLevel: undefined, systemLevel: undefined },
    },
    "0123456789abcdef0123456789abcdef",
    Date.UTC(2026, 0, 31, 23, 59),
  );

it("names streams as Lambda does, with the function in a group that was chosen", () => {
  expect(nameIn("/aws/lambda/cart")).toBe("2026/01/31/[$LATEST]0123456789abcdef0123456789abcdef");
  expect(nameIn("/shop")).toBe("2026/01/31/cart[$LATEST]0123456789abcdef0123456789abcdef");
  expect(nameIn("/aws/lambda/carts")).toBe("2026/01/31/cart[$LATEST]0123456789abcdef0123456789abcdef");
});

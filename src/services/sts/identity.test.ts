import { expect, it } from "vitest";
import { callOf, testCall } from "../../../test/support/call.ts";
import { identityOperations } from "./operations/identity.ts";

it("tells root and assumed roles who they are", async () => {
  const { GetCallerIdentity } = identityOperations();
  expect(await GetCallerIdentity({}, testCall("111111111111"))).toEqual({
    UserId: "111111111111",
    Account: "111111111111",
    Arn: "arn:aws:iam::111111111111:root",
  });
  const arn = "arn:aws:sts::111111111111:assumed-role/r/session";
  const principal = {
    kind: "assumed-role",
    account: "111111111111",
    arn,
    userId: "AROAAAAAAAAAAAAAAAAAA:session",
    roleArn: "arn:aws:iam::111111111111:role/r",
  } as const;
  expect(await GetCallerIdentity({}, callOf({ principal }))).toEqual({
    UserId: "AROAAAAAAAAAAAAAAAAAA:session",
    Account: "111111111111",
    Arn: arn,
  });
});

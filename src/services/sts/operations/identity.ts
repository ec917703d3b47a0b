import type * as client from "@aws-sdk/client-sts";
import type { Handler, OperationsOf } from "#wire/operation";

type Sts = typeof client;

export function identityOperations() {
  const GetCallerIdentity: Handler<Sts, "GetCallerIdentity"> = (_input, { principal }) => ({
    UserId: principal.userId,
    Account: principal.account,
    Arn: principal.arn,
  });

  return { GetCallerIdentity } satisfies OperationsOf<Sts>;
}

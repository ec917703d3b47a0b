import type * as client from "@aws-sdk/client-sts";
import type { Handler, OperationsOf } from "#wire/operation";
import type { StsDeps } from "../deps.ts";
import { stsErrors } from "../errors.ts";

type Sts = typeof client;

export function messageOperations({ messages }: Pick<StsDeps, "messages">) {
  const DecodeAuthorizationMessage: Handler<Sts, "DecodeAuthorizationMessage"> = (input, { account }) => {
    const DecodedMessage = messages.decode(account, input.EncodedMessage ?? "");
    if (DecodedMessage === undefined) throw stsErrors.notAMessage();
    return { DecodedMessage };
  };

  return { DecodeAuthorizationMessage } satisfies OperationsOf<Sts>;
}

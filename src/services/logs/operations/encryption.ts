import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import {
  groupArn,
  groupKey,
  groupOfIdentifier,
  requireGroup,
  type LogGroupDocument,
  type Scope,
} from "../store.ts";

type Logs = typeof client;

interface Named {
  readonly logGroupName?: string | undefined;
  readonly resourceIdentifier?: string | undefined;
}

/** Keys of KMS, which this platform does not have. */
export function encryptionOperations({ documents }: LogsDeps) {
  const AssociateKmsKey: Handler<Logs, "AssociateKmsKey"> = (input, call) => {
    const group = groupOf(call, input);
    requireGroup(documents, call, group);
    throw logsErrors.kmsKey(groupArn(call, group));
  };

  const DisassociateKmsKey: Handler<Logs, "DisassociateKmsKey"> = async (input, call) => {
    const key = groupKey(call, groupOf(call, input));
    await revise<LogGroupDocument>(documents, key, (current) => {
      if (current === undefined) throw logsErrors.groupMissing();
      const { kmsKeyId: _removed, ...value } = current.value;
      return [{ key, value }];
    });
    return {};
  };

  return { AssociateKmsKey, DisassociateKmsKey } satisfies OperationsOf<Logs>;
}

function groupOf(scope: Scope, { logGroupName, resourceIdentifier }: Named): string {
  if ((logGroupName === undefined) === (resourceIdentifier === undefined)) throw logsErrors.kmsResource();
  if (resourceIdentifier?.endsWith(":query-result:*") === true) throw logsErrors.notAvailable("query-result");
  return logGroupName ?? groupOfIdentifier(scope, resourceIdentifier ?? "");
}

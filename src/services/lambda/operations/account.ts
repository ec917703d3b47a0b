import { setImmediate as nextTurn } from "node:timers/promises";
import type { OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { LIMITS } from "../limits.ts";
import type { Scope } from "../names.ts";
import { keys } from "../store.ts";

/** Functions counted at a stretch: about a millisecond, whatever their number. */
const SLICE = 200;

/** The account's limits and what it uses of them. */
export function accountOperations(context: LambdaContext) {
  const { store, account, concurrency } = context;

  return {
    async GetAccountSettings(_input, call) {
      return {
        AccountLimit: {
          TotalCodeSize: LIMITS.accountCodeBytes,
          CodeSizeUnzipped: LIMITS.unzippedCodeBytes,
          CodeSizeZipped: LIMITS.zippedCodeBytes,
          ConcurrentExecutions: account.concurrentExecutions,
          UnreservedConcurrentExecutions: concurrency.unreserved(call),
        },
        AccountUsage: await measureUsage(call),
      };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  async function measureUsage(scope: Scope) {
    const usage = { TotalCodeSize: 0, FunctionCount: 0 };
    let after: string | undefined;
    for (;;) {
      const slice = [
        ...store.functions(scope, {
          limit: SLICE,
          ...(after === undefined ? {} : { after: keys.function(scope, after) }),
        }),
      ];
      for (const { value } of slice) {
        usage.FunctionCount++;
        usage.TotalCodeSize += value.settings.code.bytes;
        for (const version of store.versions(scope, value.name))
          usage.TotalCodeSize += version.value.settings.code.bytes;
      }
      if (slice.length < SLICE) return usage;
      after = slice.at(-1)?.value.name;
      await nextTurn();
    }
  }
}

import { setImmediate as nextTurn } from "node:timers/promises";
import type { OperationsOf } from "#wire/operation";
import type { Document, DocumentKey, ListOptions } from "#storage/documents";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { LIMITS } from "../limits.ts";
import type { Scope } from "../names.ts";
import type { LayerVersionRecord } from "../records.ts";

/** Documents counted at a stretch: about a millisecond, whatever their number. */
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

  /** Code of functions, of their versions and of layers' versions (recorded: account_settings_total_code_size). */
  async function measureUsage(scope: Scope) {
    const usage = { TotalCodeSize: 0, FunctionCount: 0 };
    await forEach(
      (options) => store.functions(scope, options),
      ({ name, settings }) => {
        usage.FunctionCount++;
        usage.TotalCodeSize += settings.code.bytes;
        for (const version of store.versions(scope, name))
          usage.TotalCodeSize += version.value.settings.code.bytes;
      },
    );
    await forEach(
      (options) =>
        store.documents.list<LayerVersionRecord>([scope.account, scope.region, "layer-version"], options),
      ({ code }) => {
        usage.TotalCodeSize += code.bytes;
      },
    );
    return usage;
  }
}

/** Lets other requests in between slices. */
async function forEach<Value>(
  list: (options: ListOptions) => Iterable<Document<Value>>,
  visit: (value: Value) => void,
): Promise<void> {
  let after: DocumentKey | undefined;
  for (;;) {
    const slice = [...list({ limit: SLICE, ...(after === undefined ? {} : { after }) })];
    for (const { value } of slice) visit(value);
    if (slice.length < SLICE) return;
    after = slice.at(-1)?.key;
    await nextTurn();
  }
}

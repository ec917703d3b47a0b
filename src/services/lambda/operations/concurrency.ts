import type { OperationsOf } from "#wire/operation";
import { totalProvisioned } from "../concurrency.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { parseUnqualifiedName } from "../names.ts";
import type { ConcurrencyRecord } from "../records.ts";
import { unchanged } from "../store.ts";

/** Reserved concurrency: what of its account's a function has for itself, and may not go beyond. */
export function concurrencyOperations(context: LambdaContext) {
  const { store, concurrency } = context;

  return {
    async PutFunctionConcurrency(input, call) {
      const name = parseUnqualifiedName(call, "PutFunctionConcurrency", input.FunctionName);
      // Recorded with this qualifier: put_function_concurrency_with_function_name_doesnotexist.
      store.requireFunction(name, name.name, "$LATEST");
      const reserved = input.ReservedConcurrentExecutions ?? 0;
      await store.updateFunction(name, (found) => {
        const before = concurrency.of(name, name.name);
        const after: ConcurrencyRecord = { ...before, reserved };
        concurrency.requireRoom(name, name.name, after, "reserved");
        const provisioned = totalProvisioned(before);
        if (provisioned > reserved) throw errors.reservedBelowProvisioned(reserved, provisioned);
        const changes = [unchanged(found), ...concurrency.change(name, name.name, after)];
        return { changes, result: undefined };
      });
      concurrency.apply(name, name.name);
      return { ReservedConcurrentExecutions: reserved };
    },

    GetFunctionConcurrency(input, call) {
      const name = parseUnqualifiedName(call, "GetFunctionConcurrency", input.FunctionName);
      store.requireFunction(name, name.name);
      const { reserved } = concurrency.of(name, name.name);
      return reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved };
    },

    async DeleteFunctionConcurrency(input, call) {
      const name = parseUnqualifiedName(call, "DeleteFunctionConcurrency", input.FunctionName);
      await store.updateFunction(name, (found) => {
        const { provisioned } = concurrency.of(name, name.name);
        const changes = concurrency.change(name, name.name, { provisioned });
        return { changes: [unchanged(found), ...changes], result: undefined };
      });
      concurrency.apply(name, name.name);
      return {};
    },
  } satisfies OperationsOf<LambdaClientModule>;
}

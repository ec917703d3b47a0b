import type { OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { parseUnqualifiedName } from "../names.ts";
import { keys, unchanged } from "../store.ts";

/** Whether a function may be part of a loop: see lineage.ts. */
export function recursionOperations(context: LambdaContext) {
  const { store } = context;

  return {
    GetFunctionRecursionConfig(input, call) {
      const name = parseUnqualifiedName(call, "GetFunctionRecursionConfig", input.FunctionName);
      store.requireFunction(name, name.name);
      const allowed = store.documents.get(keys.recursion(name, name.name)) !== undefined;
      return { RecursiveLoop: allowed ? "Allow" : "Terminate" };
    },

    async PutFunctionRecursionConfig(input, call) {
      const name = parseUnqualifiedName(call, "PutFunctionRecursionConfig", input.FunctionName);
      const RecursiveLoop = input.RecursiveLoop === "Allow" ? "Allow" : "Terminate";
      const key = keys.recursion(name, name.name);
      await store.updateFunction(name, (found) => ({
        changes: [
          unchanged(found),
          RecursiveLoop === "Allow"
            ? { key, value: { recursiveLoop: RecursiveLoop } }
            : { key, delete: true },
        ],
        result: undefined,
      }));
      return { RecursiveLoop };
    },
  } satisfies OperationsOf<LambdaClientModule>;
}

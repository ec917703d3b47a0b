import type { CallContext, OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { parseFunctionName, type FunctionName } from "../names.ts";

/**
 * Reads of settings that a function can have in AWS and none can have here yet: there is no operation that writes
 * them, so AWS's answer for "none" is the true one. Clients such as Terraform ask for them with every function.
 */
export function absentSettingsOperations(context: LambdaContext) {
  const { store } = context;

  return {
    GetFunctionCodeSigningConfig(input, call) {
      const name = requireFunction(call, "GetFunctionCodeSigningConfig", input.FunctionName);
      // The client's type demands an ARN; AWS leaves it out where the function has no such configuration.
      return { CodeSigningConfigArn: undefined, FunctionName: name.name };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function requireFunction(call: CallContext, action: string, text: string | undefined): FunctionName {
    const name = parseFunctionName(call, action, text);
    store.requireFunction(name, name.name);
    return name;
  }
}

import type { CallContext, OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { functionArn, kindOfQualifier, parseFunctionName, type FunctionName } from "../names.ts";

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

    GetPolicy(input, call) {
      const name = parseFunctionName(call, "GetPolicy", input.FunctionName, input.Qualifier);
      requireQualified(name);
      throw errors.resourceMissing();
    },

    GetFunctionEventInvokeConfig(input, call) {
      const name = parseFunctionName(
        call,
        "GetFunctionEventInvokeConfig",
        input.FunctionName,
        input.Qualifier,
      );
      // Recorded: the same answer whether or not there is such a function.
      throw errors.noEventInvokeConfig(functionArn(name, name.name, name.qualifier ?? "$LATEST"));
    },

    GetRuntimeManagementConfig(input, call) {
      const name = parseFunctionName(call, "GetRuntimeManagementConfig", input.FunctionName, input.Qualifier);
      const qualifier = name.qualifier ?? "$LATEST";
      requireQualified(name);
      const arn = functionArn(name, name.name, qualifier);
      return { UpdateRuntimeOn: "Auto", FunctionArn: arn };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function requireFunction(call: CallContext, action: string, text: string | undefined): FunctionName {
    const name = parseFunctionName(call, action, text);
    store.requireFunction(name, name.name);
    return name;
  }

  function requireQualified(name: FunctionName): void {
    const { qualifier } = name;
    store.requireFunction(name, name.name, qualifier);
    if (qualifier === undefined || qualifier === "$LATEST") return;
    const kind = kindOfQualifier(qualifier);
    const found =
      kind === "alias"
        ? store.alias(name, name.name, qualifier)
        : kind === "version"
          ? store.version(name, name.name, qualifier)
          : undefined;
    if (found === undefined) throw errors.functionNotFound(functionArn(name, name.name, qualifier));
  }
}

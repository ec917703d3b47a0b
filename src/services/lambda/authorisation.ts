import type { VpcConfig } from "@aws-sdk/client-lambda";
import { formatArn, parseArn } from "#core/arn";
import type { PolicyDocument } from "#policy/document";
import { requestTagKeys } from "#wire/authorisation/request-keys";
import type { AuthorisationOf, Question, ServiceAuthorisation, ServiceKeys } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import type { LambdaClientModule } from "./context.ts";
import { createFunctionPolicies } from "./function-policies.ts";
import { functionArn, functionArnOf } from "./names.ts";
import type { EventSourceMappingRecord, LayerVersionRecord } from "./records.ts";
import { keys, type LambdaStore } from "./store.ts";

/** What Lambda's operations need permission for (Service Authorization Reference, "AWS Lambda"). */
export interface LambdaAuthorisation extends ServiceAuthorisation {
  readonly policies: ReturnType<typeof createFunctionPolicies>;
  /** Forgets what was asked about functions, and their policies; both come back with the next question. */
  clear(): void;
}

/** Questions about invocations are the same over and over. */
const KEPT_QUESTIONS = 10_000;

export function createLambdaAuthorisation(store: LambdaStore): LambdaAuthorisation {
  const policies = createFunctionPolicies(store.documents);
  const invocations = new Map<string, readonly Question[]>();

  function mayInvoke(call: CallContext, name = "", qualifier: string | undefined): readonly Question[] {
    const spelling = `${call.account}/${call.region}/${name}\n${qualifier ?? ""}`;
    const known = invocations.get(spelling);
    if (known !== undefined) return known;
    const questions = [{ action: "lambda:InvokeFunction", resource: functionArnOf(call, name, qualifier) }];
    if (invocations.size >= KEPT_QUESTIONS) invocations.clear();
    invocations.set(spelling, questions);
    return questions;
  }

  /** The function that a mapping calls is a condition key of every operation on it. */
  function aboutMapping(action: string, call: CallContext, uuid = "", named?: string): readonly Question[] {
    const key = keys.eventSourceMapping(call, uuid);
    const mapping = store.documents.get<EventSourceMappingRecord>(key)?.value;
    const arn = named === undefined ? mapping?.functionArn : functionArnOf(call, named);
    const resource = formatArn("lambda", call.region, call.account, `event-source-mapping:${uuid}`);
    return [{ action, resource, keys: { "lambda:functionarn": arn } }];
  }

  const questions: AuthorisationOf<LambdaClientModule> = {
    Invoke: (input, call) => mayInvoke(call, input.FunctionName, input.Qualifier),
    InvokeWithResponseStream: (input, call) => mayInvoke(call, input.FunctionName, input.Qualifier),
    InvokeAsync: onFunction("InvokeAsync"),

    CreateFunction: (input, call) => [
      {
        action: "lambda:CreateFunction",
        resource: functionArnOf(call, input.FunctionName ?? ""),
        keys: {
          ...requestTagKeys(input.Tags),
          ...configurationKeys(input),
          "lambda:codesigningconfigarn": input.CodeSigningConfigArn,
        },
      },
      ...passRole(input.Role),
      ...useLayers(input.Layers),
    ],
    UpdateFunctionConfiguration: (input, call) => [
      {
        action: "lambda:UpdateFunctionConfiguration",
        resource: functionArnOf(call, input.FunctionName ?? ""),
        keys: configurationKeys(input),
      },
      ...passRole(input.Role),
      ...useLayers(input.Layers),
    ],
    UpdateFunctionCode: onFunction("UpdateFunctionCode"),
    DeleteFunction: onQualified("DeleteFunction"),
    GetFunction: onQualified("GetFunction"),
    GetFunctionConfiguration: onQualified("GetFunctionConfiguration"),
    PublishVersion: onFunction("PublishVersion"),
    ListVersionsByFunction: onFunction("ListVersionsByFunction"),
    CreateAlias: onFunction("CreateAlias"),
    UpdateAlias: onFunction("UpdateAlias"),
    DeleteAlias: onFunction("DeleteAlias"),
    GetAlias: onFunction("GetAlias"),
    ListAliases: onFunction("ListAliases"),

    AddPermission: (input, call) => [
      {
        action: "lambda:AddPermission",
        resource: functionArnOf(call, input.FunctionName ?? "", input.Qualifier),
        keys: {
          "lambda:principal": input.Principal,
          "lambda:functionurlauthtype": input.FunctionUrlAuthType,
        },
      },
    ],
    RemovePermission: onQualified("RemovePermission"),
    GetPolicy: onQualified("GetPolicy"),
    PutResourcePolicy: onArn("PutResourcePolicy", ({ ResourceArn }) => ResourceArn),
    GetResourcePolicy: onArn("GetResourcePolicy", ({ ResourceArn }) => ResourceArn),
    DeleteResourcePolicy: onArn("DeleteResourcePolicy", ({ ResourceArn }) => ResourceArn),

    CreateFunctionUrlConfig: onUrl("CreateFunctionUrlConfig"),
    UpdateFunctionUrlConfig: onUrl("UpdateFunctionUrlConfig"),
    DeleteFunctionUrlConfig: onUrl("DeleteFunctionUrlConfig"),
    GetFunctionUrlConfig: onUrl("GetFunctionUrlConfig"),
    ListFunctionUrlConfigs: onFunction("ListFunctionUrlConfigs"),

    PutFunctionConcurrency: onFunction("PutFunctionConcurrency"),
    GetFunctionConcurrency: onFunction("GetFunctionConcurrency"),
    DeleteFunctionConcurrency: onFunction("DeleteFunctionConcurrency"),
    PutProvisionedConcurrencyConfig: onQualified("PutProvisionedConcurrencyConfig"),
    GetProvisionedConcurrencyConfig: onQualified("GetProvisionedConcurrencyConfig"),
    DeleteProvisionedConcurrencyConfig: onQualified("DeleteProvisionedConcurrencyConfig"),
    ListProvisionedConcurrencyConfigs: onFunction("ListProvisionedConcurrencyConfigs"),
    PutFunctionEventInvokeConfig: onQualified("PutFunctionEventInvokeConfig"),
    UpdateFunctionEventInvokeConfig: onQualified("UpdateFunctionEventInvokeConfig"),
    GetFunctionEventInvokeConfig: onQualified("GetFunctionEventInvokeConfig"),
    DeleteFunctionEventInvokeConfig: onQualified("DeleteFunctionEventInvokeConfig"),
    ListFunctionEventInvokeConfigs: onFunction("ListFunctionEventInvokeConfigs"),
    PutRuntimeManagementConfig: onQualified("PutRuntimeManagementConfig"),
    GetRuntimeManagementConfig: onQualified("GetRuntimeManagementConfig"),
    PutFunctionRecursionConfig: onFunction("PutFunctionRecursionConfig"),
    GetFunctionRecursionConfig: onFunction("GetFunctionRecursionConfig"),

    PublishLayerVersion: (input, call) => [
      { action: "lambda:PublishLayerVersion", resource: layerOf(call, input.LayerName) },
    ],
    DeleteLayerVersion: onLayerVersion("DeleteLayerVersion"),
    GetLayerVersion: onLayerVersion("GetLayerVersion"),
    GetLayerVersionByArn: onArn("GetLayerVersion", ({ Arn }) => Arn),
    GetLayerVersionPolicy: onLayerVersion("GetLayerVersionPolicy"),
    AddLayerVersionPermission: onLayerVersion("AddLayerVersionPermission"),
    RemoveLayerVersionPermission: onLayerVersion("RemoveLayerVersionPermission"),

    CreateEventSourceMapping: (input, call) => [
      {
        action: "lambda:CreateEventSourceMapping",
        resource: "*",
        keys: {
          "lambda:functionarn": functionArnOf(call, input.FunctionName ?? ""),
          ...requestTagKeys(input.Tags),
        },
      },
    ],
    UpdateEventSourceMapping: (input, call) =>
      aboutMapping("lambda:UpdateEventSourceMapping", call, input.UUID, input.FunctionName),
    DeleteEventSourceMapping: (input, call) =>
      aboutMapping("lambda:DeleteEventSourceMapping", call, input.UUID),
    GetEventSourceMapping: (input, call) => aboutMapping("lambda:GetEventSourceMapping", call, input.UUID),
    ListEventSourceMappings: ({ FunctionName }, call) => [
      {
        action: "lambda:ListEventSourceMappings",
        resource: "*",
        keys: {
          "lambda:functionarn": FunctionName === undefined ? undefined : functionArnOf(call, FunctionName),
        },
      },
    ],

    GetCodeSigningConfig: onArn("GetCodeSigningConfig", ({ CodeSigningConfigArn }) => CodeSigningConfigArn),
    UpdateCodeSigningConfig: onArn(
      "UpdateCodeSigningConfig",
      ({ CodeSigningConfigArn }) => CodeSigningConfigArn,
    ),
    DeleteCodeSigningConfig: onArn(
      "DeleteCodeSigningConfig",
      ({ CodeSigningConfigArn }) => CodeSigningConfigArn,
    ),
    ListFunctionsByCodeSigningConfig: onArn(
      "ListFunctionsByCodeSigningConfig",
      ({ CodeSigningConfigArn }) => CodeSigningConfigArn,
    ),
    PutFunctionCodeSigningConfig: (input, call) => [
      ...onFunction("PutFunctionCodeSigningConfig")(input, call),
      { action: "lambda:PutFunctionCodeSigningConfig", resource: input.CodeSigningConfigArn ?? "*" },
    ],
    GetFunctionCodeSigningConfig: onFunction("GetFunctionCodeSigningConfig"),
    DeleteFunctionCodeSigningConfig: onFunction("DeleteFunctionCodeSigningConfig"),

    ListTags: onArn("ListTags", ({ Resource }) => Resource),
    TagResource: (input) => [
      { action: "lambda:TagResource", resource: input.Resource ?? "*", keys: requestTagKeys(input.Tags) },
    ],
    UntagResource: (input) => [
      {
        action: "lambda:UntagResource",
        resource: input.Resource ?? "*",
        keys: { "aws:tagkeys": input.TagKeys },
      },
    ],
  };

  return {
    prefix: "lambda",
    shownForNone: () => "*",
    questions,
    policies,
    clear() {
      invocations.clear();
      policies.clear();
    },
    resourcePolicy(arn) {
      return arn.includes(":layer:") ? layerPolicy(store, arn) : policies.of(arn);
    },
    resourceTags(arn) {
      const parsed = parseArn(arn);
      const [kind, name] = parsed?.resource.split(":") ?? [];
      if (parsed === undefined || kind !== "function" || name === undefined) return undefined;
      return store.function(parsed, name)?.value.tags;
    },
  };
}

type OfFunction = (
  input: { readonly FunctionName?: string | undefined },
  call: CallContext,
) => readonly Question[];

function onFunction(operation: string): OfFunction {
  const action = `lambda:${operation}`;
  return (input, call) => [{ action, resource: functionArnOf(call, input.FunctionName ?? "") }];
}

function onQualified(operation: string) {
  const action = `lambda:${operation}`;
  return (
    input: { readonly FunctionName?: string | undefined; readonly Qualifier?: string | undefined },
    call: CallContext,
  ): readonly Question[] => [
    { action, resource: functionArnOf(call, input.FunctionName ?? "", input.Qualifier) },
  ];
}

function onUrl(operation: string) {
  const action = `lambda:${operation}`;
  return (
    input: {
      readonly FunctionName?: string | undefined;
      readonly Qualifier?: string | undefined;
      readonly AuthType?: string | undefined;
    },
    call: CallContext,
  ): readonly Question[] => [
    {
      action,
      resource: functionArnOf(call, input.FunctionName ?? "", input.Qualifier),
      keys: { "lambda:functionurlauthtype": input.AuthType },
    },
  ];
}

function onArn<Input>(operation: string, arnOf: (input: Input) => string | undefined) {
  const action = `lambda:${operation}`;
  return (input: Input): readonly Question[] => [{ action, resource: arnOf(input) ?? "*" }];
}

function onLayerVersion(operation: string) {
  const action = `lambda:${operation}`;
  return (
    input: { readonly LayerName?: string | undefined; readonly VersionNumber?: number | undefined },
    call: CallContext,
  ): readonly Question[] => [
    { action, resource: `${layerOf(call, input.LayerName)}:${input.VersionNumber ?? 0}` },
  ];
}

function layerOf(call: CallContext, name = ""): string {
  return name.startsWith("arn:") ? name : formatArn("lambda", call.region, call.account, `layer:${name}`);
}

/** Handing a role to a function is a permission of its own (Lambda developer guide, "iam:PassRole"). */
function passRole(role: string | undefined): readonly Question[] {
  if (role === undefined) return [];
  return [
    { action: "iam:PassRole", resource: role, keys: { "iam:passedtoservice": "lambda.amazonaws.com" } },
  ];
}

function useLayers(layers: readonly string[] | undefined): readonly Question[] {
  return (layers ?? []).map((resource) => ({ action: "lambda:GetLayerVersion", resource }));
}

function configurationKeys(input: {
  readonly Layers?: string[] | undefined;
  readonly VpcConfig?: VpcConfig | undefined;
}): ServiceKeys {
  return {
    "lambda:layer": input.Layers,
    "lambda:subnetids": input.VpcConfig?.SubnetIds,
    "lambda:securitygroupids": input.VpcConfig?.SecurityGroupIds,
  };
}

function layerPolicy({ documents }: LambdaStore, arn: string): string | undefined {
  const parsed = parseArn(arn);
  const [, name = "", version] = parsed?.resource.split(":") ?? [];
  if (parsed === undefined || !/^\d{1,15}$/.test(version ?? "")) return undefined;
  const key = keys.layerVersion(parsed, name, Number(version));
  const policy = documents.get<LayerVersionRecord>(key)?.value.policy;
  if (policy === undefined) return undefined;
  return JSON.stringify({ Version: "2012-10-17", Statement: policy.statements } satisfies PolicyDocument);
}

/**
 * What a call of a function's address needs, with the keys that such policies ask for: two permissions since October 2025
 * (developer guide, "Control access to Lambda function URLs").
 */
export function urlQuestions(
  scope: { readonly account: string; readonly region: string },
  name: string,
  qualifier: string,
  authType: string,
): readonly Question[] {
  const resource = functionArn(scope, name, qualifier === "$LATEST" ? undefined : qualifier);
  return [
    {
      action: "lambda:InvokeFunctionUrl",
      resource,
      keys: { "lambda:functionurlauthtype": authType },
    },
    {
      action: "lambda:InvokeFunction",
      resource,
      keys: { "lambda:invokedviafunctionurl": "true" },
    },
  ];
}

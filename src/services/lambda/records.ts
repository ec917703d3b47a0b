import type { CreateEventSourceMappingRequest } from "@aws-sdk/client-lambda";
import type { CodePackage, ImageOverrides } from "#engine/contract";

/** What a caller configures. Kept whole in one value so that the settings still served during an update can be kept beside the new ones. */
export interface FunctionSettings {
  /** The engine's `FunctionSpec.id`: new with each change of code or configuration. */
  readonly specId: string;
  /** Empty where the code is an image; so is the handler. */
  readonly runtime: string;
  readonly handler: string;
  readonly imageConfig?: ImageOverrides | undefined;
  readonly roleArn: string;
  readonly description: string;
  readonly code: CodePackage;
  /** In the order in which they are merged. Their code is the function's own from here on, whatever becomes of the layers. */
  readonly layers?: readonly FunctionLayer[];
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly ephemeralStorageMb: number;
  readonly architecture: "x86_64" | "arm64";
  /** Undefined where none was ever given: FunctionConfiguration then has no Environment at all. */
  readonly environment: Readonly<Record<string, string>> | undefined;
  readonly tracing: "Active" | "PassThrough";
  /** A queue or topic for asynchronous events that are given up. */
  readonly deadLetterArn?: string | undefined;
  readonly logging: LoggingSettings;
  /** Undefined in records of older platforms: `None`. */
  readonly snapStart?: "PublishedVersions" | "None";
  readonly tenancy?: "PER_TENANT" | undefined;
}

export interface FunctionLayer {
  /** Of the layer's version. */
  readonly arn: string;
  readonly code: CodePackage;
}

export interface LoggingSettings {
  readonly format: "Text" | "JSON";
  readonly group: string;
  readonly applicationLevel?: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";
  readonly systemLevel?: "DEBUG" | "INFO" | "WARN";
}

/** A state and, unless all is well, AWS's reason for it. */
export interface Status<Name extends string> {
  readonly name: Name;
  readonly reason?: string;
  readonly reasonCode?:
    | "Creating"
    | "FunctionError"
    | "ImageAccessDenied"
    | "ImageDeleted"
    | "InternalError"
    | "InvalidConfiguration"
    | "InvalidImage"
    | "InvalidRuntime";
}

export type State = Status<"Pending" | "Active" | "Failed">;
export type UpdateStatus = Status<"InProgress" | "Successful" | "Failed">;

export const CREATING = { reason: "The function is being created.", reasonCode: "Creating" } as const;

/** What `$LATEST` and a published version have in common. */
export interface VersionRecord {
  readonly name: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly revisionId: string;
  readonly settings: FunctionSettings;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly state: State;
  /** Undefined until the function has been active. */
  readonly update: UpdateStatus | undefined;
}

/** `[account, region, "function", name]` */
export interface FunctionRecord extends VersionRecord {
  readonly version: "$LATEST";
  /** What invocations still run while an update is in progress, and after it failed. */
  readonly serving?: FunctionSettings;
  readonly tags: Readonly<Record<string, string>>;
  /** The highest number ever published: a deleted version's number is never used again. */
  readonly lastVersion: number;
}

/** `[account, region, "function-version", name, number]` */
export interface PublishedRecord extends VersionRecord {
  /** The `specId` that `$LATEST` had: publishing the same again makes no new version. */
  readonly publishedFrom: string;
}

/** `[account, region, "function-concurrency", name]`; there is none where nothing is set. */
export interface ConcurrencyRecord {
  /** Reserved concurrent executions; 0 stops the function. */
  readonly reserved?: number;
  /** By alias or version number. */
  readonly provisioned: Readonly<Record<string, ProvisionedRecord>>;
}

export interface ProvisionedRecord {
  readonly requested: number;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

/** `[account, region, "function-alias", name, alias]` */
export interface AliasRecord {
  readonly functionName: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly revisionId: string;
  /** The share of invocations, 0 to 1, that another version takes. */
  readonly weight?: { readonly version: string; readonly share: number };
}

/** `[account, region, "layer", name]` */
export interface LayerRecord {
  readonly name: string;
  /** The highest number ever published: a deleted version's number is never used again. */
  readonly lastVersion: number;
}

/** `[account, region, "layer-version", name, number]` */
export interface LayerVersionRecord {
  readonly name: string;
  readonly version: number;
  readonly description: string;
  readonly licenseInfo: string | undefined;
  /** Undefined where the publisher named none, which is not the same as an empty list (recorded). */
  readonly runtimes: readonly string[] | undefined;
  readonly architectures: readonly string[] | undefined;
  readonly code: CodePackage;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly policy: LayerPolicy | undefined;
}

export interface LayerPolicy {
  readonly revisionId: string;
  readonly statements: readonly LayerStatement[];
}

/** A statement as GetLayerVersionPolicy shows it. */
export interface LayerStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: "*" | { readonly AWS: string };
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: { readonly StringEquals: { readonly "aws:PrincipalOrgID": string } };
}

/** `[account, region, "function-event-invoke", name, qualifier]`; `qualifier` is `$LATEST`, a version or an alias. */
export interface EventInvokeRecord {
  readonly maximumRetryAttempts?: number;
  readonly maximumEventAgeSeconds?: number;
  readonly onSuccess?: string;
  readonly onFailure?: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

/** `[account, region, "function-runtime-management", name, qualifier]`; there is none where it is `Auto`. */
export interface RuntimeManagementRecord {
  readonly updateRuntimeOn: "FunctionUpdate" | "Manual";
  readonly runtimeVersionArn?: string;
}

/** `[account, region, "function-recursion", name]`; there is none where loops are terminated. */
export interface RecursionRecord {
  readonly recursiveLoop: "Allow";
}

/** `[account, region, "code-signing-config", id]` */
export interface CodeSigningConfigRecord {
  /** `csc-` and 17 characters. */
  readonly id: string;
  readonly description: string;
  /** ARNs of signing profile versions. */
  readonly publishers: readonly string[];
  readonly policy: "Warn" | "Enforce";
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** `[account, region, "function-code-signing", name]` */
export interface FunctionCodeSigningRecord {
  readonly configArn: string;
}

/** `[account, region, "event-source-mapping", uuid]` */
export interface EventSourceMappingRecord {
  readonly uuid: string;
  readonly functionName: string;
  /** With the qualifier, where the mapping was given one. */
  readonly functionArn: string;
  readonly enabled: boolean;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  readonly settings: MappingSettings;
  readonly tags: Readonly<Record<string, string>>;
}

/** What a mapping's creator chose, with the defaults of its kind of source. */
export type MappingSettings = Omit<
  CreateEventSourceMappingRequest,
  "FunctionName" | "Enabled" | "Tags" | "StartingPositionTimestamp"
> & {
  /** Epoch milliseconds. */
  readonly startingTime?: number | undefined;
};

import type { Reclaimed } from "#engine/code/reclaimer";
import { createHash } from "node:crypto";
import { ManualClock } from "../../src/core/clock.ts";
import { systemIds } from "../../src/core/ids.ts";
import { AwsError } from "../../src/core/errors.ts";
import type { CallerIdentity } from "../../src/wire/operation.ts";
import { ImageProblem } from "../../src/engine/code/images/errors.ts";
import type {
  CodePackage,
  Engine,
  FunctionConcurrency,
  FunctionSpec,
  Invocation,
  InvocationResult,
  ProvisionedState,
} from "../../src/engine/contract.ts";
import type { AsyncInvocation } from "../../src/services/lambda/async-invoker.ts";
import { createDownloadLinks } from "../../src/services/lambda/download-links.ts";
import {
  createLambdaService,
  type LambdaService,
  type LambdaServiceOptions,
} from "../../src/services/lambda/service.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { PolicySet } from "../../src/policy/policy-set.ts";
import { VerdictCache } from "../../src/policy/verdict-cache.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createAuthoriser } from "../../src/wire/authorisation/authorise.ts";
import type { CallContext, InputOf, OutputOf } from "../../src/wire/operation.ts";
import type { LambdaClientModule } from "../../src/services/lambda/context.ts";
import { callOf } from "./call.ts";

export const ACCOUNT = "111111111111";
export const REGION = "us-east-1";
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/lambda-role`;
export const ARCHIVE = Buffer.from("PK archive one");
export const OTHER_ARCHIVE = Buffer.from("PK archive two");

/**
 * Stands in for the engine where the subject is the service: it keeps the contract, records what it was asked, and
 * holds `prepare` back for as long as a test wants to look at unfinished states.
 */
export class RecordingEngine implements Engine {
  readonly invocations: Invocation[] = [];
  readonly retired: string[] = [];
  readonly anticipated: FunctionSpec[] = [];
  /** Unpacked sizes by CodeSha256; as large as the archive where none is given. */
  readonly sizes = new Map<string, number>();
  answer: (invocation: Invocation) => InvocationResult = () => ({
    payload: Buffer.from("null"),
    functionError: undefined,
    logTail: undefined,
  });
  #gate: Promise<void> | undefined;
  #open: () => void = () => {};

  /** Background preparations wait from now on; those that come with a request's archive do not. */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.#seen.clear();
  }

  release(): void {
    this.#gate = undefined;
    this.#open();
  }

  readonly #seen = new Set<string>();

  anticipate(spec: FunctionSpec): void {
    this.anticipated.push(spec);
  }

  readonly snapshots: FunctionSpec[] = [];
  /** Whether the init of versions with SnapStart goes well. */
  initialises = true;

  async snapshot(spec: FunctionSpec): Promise<boolean> {
    this.snapshots.push(spec);
    await this.#gate;
    return this.initialises;
  }

  /** Images that there are, by ImageUri: the digest of each in hexadecimal. */
  readonly images = new Map<string, string>();

  resolveImage(uri: string): Promise<CodePackage> {
    const digest = this.images.get(uri);
    if (digest === undefined) return Promise.reject(ImageProblem.missing(uri));
    const resolvedUri = `${uri.replace(/:[^/]*$/, "")}@sha256:${digest}`;
    return Promise.resolve({ blob: digest, sha256: digest, bytes: 1000, image: { uri, resolvedUri } });
  }

  async prepare(code: CodePackage): Promise<void> {
    if (code.bytes < 4)
      throw new AwsError(
        "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
        { members: { Type: "User" } },
      );
    // The first preparation after `hold` is the request's own; the second is the one in the background.
    if (this.#seen.has(code.blob)) await this.#gate;
    this.#seen.add(code.blob);
  }

  deploy<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  /** What `reclaim` was told to keep. */
  readonly kept: ReadonlySet<string>[] = [];

  reclaim(kept: ReadonlySet<string>): Promise<Reclaimed> {
    this.kept.push(kept);
    return Promise.resolve({ removed: 0, waiting: 0 });
  }

  async unpackedBytes(code: CodePackage): Promise<number> {
    await this.prepare(code);
    return this.sizes.get(code.sha256) ?? code.bytes;
  }

  invoke(invocation: Invocation): Promise<InvocationResult> {
    this.invocations.push(invocation);
    return Promise.resolve(this.answer(invocation));
  }

  retire(specId: string): void {
    this.retired.push(specId);
  }

  /** What functions were configured to, the last of each; every allotment is complete unless `hold` was called. */
  readonly concurrency = new Map<string, FunctionConcurrency>();

  configureConcurrency(concurrency: FunctionConcurrency): void {
    this.concurrency.set(concurrency.arn, concurrency);
  }

  provisioned(functionArn: string, qualifier: string): ProvisionedState | undefined {
    const allotment = this.concurrency
      .get(functionArn)
      ?.provisioned.find((provisioned) => provisioned.qualifier === qualifier);
    if (allotment === undefined) return undefined;
    const wanted = allotment.targets.reduce((sum, { count }) => sum + count, 0);
    return this.#gate === undefined
      ? { status: "READY", statusReason: undefined, allocated: wanted, available: wanted }
      : { status: "IN_PROGRESS", statusReason: undefined, allocated: 0, available: 0 };
  }

  status() {
    return { environments: 0, busy: 0, running: 0 };
  }

  async close(): Promise<void> {}
}

/** A call that the service made of another one. */
export interface OutgoingCall {
  readonly service: string;
  readonly operation: string;
  readonly input: unknown;
  readonly by: CallerIdentity;
}
/** Everybody's own policies allow everything here: the subject is what the service's resources allow. */
const EVERYTHING = {
  identity: new PolicySet([
    compilePolicy("all", {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: "*", Resource: "*" },
    }),
  ]),
  boundary: undefined,
  session: undefined,
};

export interface LambdaFixture {
  /** What the service called of others, which answer nothing unless `answers` says what. */
  readonly outgoing: OutgoingCall[];
  /** What other services answer, by `service.operation`; an Error is thrown. */
  readonly answers: Map<string, unknown>;
  readonly service: LambdaService;
  readonly engine: RecordingEngine;
  readonly accepted: AsyncInvocation[];
  readonly clock: ManualClock;
  /** Runs an operation as the root user of `ACCOUNT`. */
  call<Name extends string>(
    operation: Name,
    input: InputOf<LambdaClientModule, Name>,
    context?: Partial<CallContext>,
  ): Promise<OutputOf<LambdaClientModule, Name>>;
  /** Creates a function with defaults and waits until it is active. */
  create(
    name: string,
    input?: Partial<InputOf<LambdaClientModule, "CreateFunction">>,
  ): Promise<OutputOf<LambdaClientModule, "CreateFunction">>;
}

export function createLambdaFixture(
  storage: Pick<Storage, "documents" | "blobs">,
  options: Partial<
    Pick<
      LambdaServiceOptions,
      | "random"
      | "checkSpec"
      | "onDeleted"
      | "onProblem"
      | "metrics"
      | "polling"
      | "authenticate"
      | "caller"
      | "roleMay"
    >
  > & { readonly clock?: ManualClock } = {},
): LambdaFixture {
  const { clock = new ManualClock(), ...given } = options;
  const engine = new RecordingEngine();
  const accepted: AsyncInvocation[] = [];
  const outgoing: OutgoingCall[] = [];
  const answers = new Map<string, unknown>();
  const service = createLambdaService({
    ...storage,
    engine,
    asyncInvoker: {
      accept: async (invocation) => {
        accepted.push(invocation);
      },
    },
    caller: {
      call(name, operation, input, by) {
        outgoing.push({ service: name, operation, input, by });
        const answer = answers.get(`${name}.${operation}`) ?? {};
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    rolePrincipal: ({ account, name, roleArn }) => ({
      kind: "assumed-role",
      account,
      arn: `arn:aws:sts::${account}:assumed-role/lambda-role/${name}`,
      userId: `AROAEXAMPLE:${name}`,
      roleArn,
    }),
    links: createDownloadLinks({ key: "a secret of this test", clock }),
    clock,
    ids: systemIds,
    onProblem: (problem) => {
      throw problem;
    },
    permissions: (questions, asking) =>
      authoriser.refusal("lambda", "InvokeFunctionUrl", questions, asking) === undefined
        ? "granted"
        : "refused",
    ...given,
  });
  const authoriser = createAuthoriser({
    services: [service],
    principals: { policiesOf: () => EVERYTHING, tagsOf: () => ({}) },
    cache: new VerdictCache(),
    mode: "enforce",
    clock,
  });
  const fixture: LambdaFixture = {
    service,
    engine,
    accepted,
    outgoing,
    answers,
    clock,

    async call(operation, input, context) {
      const handler = service.operations[operation];
      if (handler === undefined) throw new Error(`${operation} has no handler`);
      return (await handler(input as never, callContext(context))) as never;
    },

    async create(name, input = {}) {
      const created = await fixture.call("CreateFunction", newFunction(name, input));
      await service.idle();
      return created;
    },
  };
  return fixture;
}

export function newFunction(
  name: string,
  input: Partial<InputOf<LambdaClientModule, "CreateFunction">> = {},
): InputOf<LambdaClientModule, "CreateFunction"> {
  return {
    FunctionName: name,
    Runtime: "python3.12",
    Handler: "index.handler",
    Role: ROLE,
    Code: { ZipFile: ARCHIVE },
    ...input,
  };
}

export function callContext(context: Partial<CallContext> = {}): CallContext {
  return callOf({
    requestId: systemIds.uuid(),
    account: ACCOUNT,
    region: REGION,
    receivedAt: Date.UTC(2026, 0, 1),
    ...context,
  });
}

/** An error as the recordings show it. */
export async function errorOf(
  outcome: Promise<unknown>,
): Promise<{ code: string; message: string; status: number; type: unknown }> {
  try {
    await outcome;
  } catch (problem) {
    if (!(problem instanceof AwsError)) throw problem;
    const { code, message, status, members } = problem;
    return { code, message, status, type: members["Type"] };
  }
  throw new Error("expected an AwsError");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Principal } from "#core/principal";
import type { Engine, FunctionSpec, MetricSink } from "#engine/contract";
import type { Blobs } from "#storage/blobs";
import type { Documents } from "#storage/documents";
import type { Authenticate } from "#wire/auth/types";
import type { AwsCaller, ServiceDefinition } from "#wire/operation";
import { createLambdaAuthorisation } from "./authorisation.ts";
import { createAsyncEvents, type AsyncEvents } from "./async-events.ts";
import { createDelivery } from "./delivery.ts";
import type { AsyncInvoker } from "./async-invoker.ts";
import type { AccountSettings, Assumable, LambdaContext } from "./context.ts";
import type { DownloadLinks } from "./download-links.ts";
import { createCodeUpkeep } from "./code-upkeep.ts";
import { createConcurrency } from "./concurrency.ts";
import { createLifecycle } from "./lifecycle.ts";
import { accountOperations } from "./operations/account.ts";
import { aliasOperations } from "./operations/aliases.ts";
import { codeSigningOperations } from "./operations/code-signing.ts";
import { concurrencyOperations } from "./operations/concurrency.ts";
import { eventInvokeConfigOperations } from "./operations/event-invoke-configs.ts";
import { eventSourceMappingOperations } from "./operations/event-source-mappings.ts";
import { functionUrlOperations } from "./operations/function-urls.ts";
import { functionOperations } from "./operations/functions.ts";
import { invocationOperations } from "./operations/invocations.ts";
import { layerPolicyOperations } from "./operations/layer-policies.ts";
import { layerOperations } from "./operations/layers.ts";
import { policyOperations } from "./operations/policies.ts";
import { provisionedConcurrencyOperations } from "./operations/provisioned-concurrency.ts";
import { recursionOperations } from "./operations/recursion.ts";
import { runtimeManagementOperations } from "./operations/runtime-management.ts";
import { tagOperations } from "./operations/tags.ts";
import { updateOperations } from "./operations/updates.ts";
import { versionOperations } from "./operations/versions.ts";
import { createMappings, type Polling } from "./mappings/mappings.ts";
import type { RoleOwner } from "./names.ts";
import type { RoleMay } from "./role-permissions.ts";
import { createResolver, type Resolver } from "./resolver.ts";
import { createLambdaStore } from "./store.ts";
import type { UrlPermissions } from "./urls/authorise.ts";
import { createUrlServer, type UrlServer } from "./urls/server.ts";

export interface LambdaServiceOptions {
  readonly documents: Documents;
  readonly blobs: Blobs;
  readonly engine: Engine;
  readonly asyncInvoker: AsyncInvoker;
  /** Calls operations of the services that events come from and go to. */
  readonly caller: AwsCaller;
  /** Who a function's role is to those services. */
  readonly rolePrincipal: (owner: RoleOwner) => Principal;
  /** What a function's role may do; everything, where nobody is to be asked. */
  readonly roleMay?: RoleMay;
  /** Signs the links of GetFunction; the server that answers them verifies with the same. */
  readonly links: DownloadLinks;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly account?: AccountSettings;
  /** Refuses, with an AwsError, a spec that can never run here; its message becomes the function's StateReason. */
  readonly checkSpec?: (spec: FunctionSpec) => Promise<void> | void;
  /** From 0, inclusive, to 1. Weighs the versions of an alias. */
  readonly random?: () => number;
  /** Whether a role is there for Lambda to assume; without it every role is. */
  readonly assumable?: Assumable;
  /** Decides who may call function URLs; without it nobody may. */
  readonly permissions?: UrlPermissions;
  /** Verifies what is signed for function URLs; without it those that demand a signature refuse every call. */
  readonly authenticate?: Authenticate;
  /** Counts what is dropped, or let pass with a warning; without one nothing is counted. */
  readonly metrics?: MetricSink;
  /** What polls event sources; mappings to those that nothing polls say so. */
  readonly polling?: Polling;
  /** Told of each function that was deleted. @param arn unqualified */
  readonly onDeleted?: (arn: string) => void;
  /** Told of failures in the background that no client is to blame for. */
  readonly onProblem?: (problem: unknown) => void;
}

export interface LambdaService extends ServiceDefinition {
  /** Takes up creations and updates that were under way when the platform last stopped. Call once, before serving. */
  resume(): Promise<void>;
  /** Looks a function up as Invoke does: for whoever delivers asynchronous events. */
  readonly resolver: Resolver;
  /** How often events are tried, and where their outcomes go. */
  readonly asyncEvents: AsyncEvents;
  /** Answers requests to functions' own addresses, which are no AWS requests. */
  readonly urls: UrlServer;
  /** Resolves once no creation or update is under way. */
  idle(): Promise<void>;
  /** Lets go of what it holds of functions that were deleted. */
  forgetDeleted(): void;
  /** Forgets what is cached; call after the storage was emptied. */
  reset(): void;
  close(): void;
}

/** The default quota of a new account (developer guide, "Lambda quotas"). */
const DEFAULT_ACCOUNT: AccountSettings = {
  concurrentExecutions: 1000,
};

export function createLambdaService(options: LambdaServiceOptions): LambdaService {
  const {
    documents,
    blobs,
    engine,
    asyncInvoker,
    caller,
    rolePrincipal,
    links,
    clock,
    ids,
    checkSpec,
    onProblem,
  } = options;
  const store = createLambdaStore(documents);
  const resolver = createResolver(store);
  const lifecycle = createLifecycle({
    store,
    engine,
    ids,
    ...(checkSpec === undefined ? {} : { checkSpec }),
    ...(onProblem === undefined ? {} : { onProblem }),
  });
  const account = options.account ?? DEFAULT_ACCOUNT;
  const concurrency = createConcurrency({ store, engine, limit: account.concurrentExecutions });
  const delivery = createDelivery(caller);
  const random = options.random ?? Math.random;
  const roleMay = options.roleMay ?? (() => true);
  const mappings = createMappings({
    store,
    resolver,
    engine,
    caller,
    rolePrincipal,
    polling: options.polling,
    clock,
    ids,
    random,
    metrics: options.metrics,
    onProblem: (problem) => onProblem?.(problem),
  });
  const asyncEvents = createAsyncEvents({
    store,
    asyncInvoker,
    concurrency,
    delivery,
    rolePrincipal,
    roleMay,
    clock,
    ids,
    metrics: options.metrics,
  });
  const context: LambdaContext = {
    asyncEvents,
    caller,
    delivery,
    store,
    lifecycle,
    resolver,
    blobs,
    engine,
    asyncInvoker,
    links,
    clock,
    ids,
    random,
    account,
    concurrency,
    metrics: options.metrics,
    mappings,
    roleMay,
    assumable: options.assumable ?? (() => true),
    onDeleted: options.onDeleted ?? (() => undefined),
  };
  const authorisation = createLambdaAuthorisation(store);
  const upkeep = createCodeUpkeep({ documents, engine, clock, onProblem });
  return {
    name: "lambda",
    authorisation,
    operations: {
      ...functionOperations(context),
      ...updateOperations(context),
      ...invocationOperations(context),
      ...versionOperations(context),
      ...aliasOperations(context),
      ...concurrencyOperations(context),
      ...provisionedConcurrencyOperations(context),
      ...layerOperations(context),
      ...layerPolicyOperations(context),
      ...policyOperations(context),
      ...functionUrlOperations(context),
      ...eventInvokeConfigOperations(context),
      ...runtimeManagementOperations(context),
      ...recursionOperations(context),
      ...tagOperations(context),
      ...accountOperations(context),
      ...codeSigningOperations(context),
      ...eventSourceMappingOperations(context),
    },
    resolver,
    asyncEvents,
    urls: createUrlServer({
      store,
      resolver,
      engine,
      authenticate: options.authenticate,
      permissions: options.permissions,
      clock,
      ids,
      random: context.random,
      metrics: options.metrics,
      onProblem: onProblem ?? (() => undefined),
    }),
    resume() {
      upkeep.start();
      concurrency.resume();
      // Nobody waits for it: requests are answered meanwhile.
      mappings.resume().catch((problem: unknown) => onProblem?.(problem));
      return lifecycle.resume();
    },
    idle: () => lifecycle.idle(),
    forgetDeleted: () => authorisation.clear(),
    reset() {
      resolver.clear();
      mappings.reset();
      authorisation.clear();
    },
    close() {
      mappings.close();
      upkeep.stop();
      resolver.close();
      authorisation.policies.close();
    },
  };
}

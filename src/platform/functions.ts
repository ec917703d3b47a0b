import { join } from "node:path";
import { formatArn, parseArn } from "#core/arn";
import { AwsError } from "#core/errors";
import { hostPath } from "#config/config";
import type {
  CredentialSource,
  FunctionSpec,
  GuestTraces,
  LogSink,
  TraceSink,
  UsageSink,
} from "#engine/contract";
import { createUnpackThread } from "#engine/code/images/unpack-thread";
import { createUnzipThread } from "#engine/code/unzip-thread";
import { createEngine, type LocalEngine } from "#engine/engine";
import { type AsyncInvoker, createAsyncInvoker } from "#engine/invocation/async";
import { Pollers } from "#engine/pollers/pollers";
import { Readiness } from "#engine/pollers/readiness";
import { openSandbox } from "#engine/sandbox/open";
import type { AsyncInvoker as EventAcceptor } from "#services/lambda/async-invoker";
import type { DownloadLinks } from "#services/lambda/download-links";
import type { Resolver } from "#services/lambda/resolver";
import { createLambdaService, type LambdaService } from "#services/lambda/service";
import type { Authenticate } from "#wire/auth/types";
import { runtimesFolder } from "../host-report.ts";
import type { Permissions } from "./permissions.ts";
import type { Shared } from "./shared.ts";

export interface FunctionsOptions {
  readonly logSink: LogSink;
  readonly traces: TraceSink;
  readonly guestTraces: GuestTraces;
  readonly usage: UsageSink;
  readonly credentials: CredentialSource;
  /** Where functions reach the platform, and the addresses that everybody else knows it by. */
  readonly endpoint: { readonly url: () => string; readonly publicUrls: () => readonly string[] };
  readonly authenticate: Authenticate;
  readonly links: DownloadLinks;
  readonly permissions: Pick<Permissions, "assumable" | "roleMay" | "urls">;
  /** Told of each function that was deleted. @param arn unqualified */
  readonly onDeleted: (arn: string) => void;
}

/** Lambda: the engine within its walls, the service over it, and the queue of its asynchronous events. */
export interface Functions {
  readonly engine: LocalEngine;
  readonly lambda: LambdaService;
  /** Lets environments reach the platform, once it listens. @param accept takes their connections */
  publish: Awaited<ReturnType<typeof openSandbox>>["publish"];
  /** Ends what runs, after up to `graceMs`. May be called again with 0 to end it at once. */
  stop(graceMs: number): Promise<void>;
  /** Ends the threads; after `stop`. */
  close(): Promise<void>;
}

/** @throws Error where the walls or the engine cannot be had; nothing is left open then */
export async function createFunctions(shared: Shared, options: FunctionsOptions): Promise<Functions> {
  const { config, installation, storage, clock, ids, log, metrics, caller, rolePrincipal } = shared;
  const { documents, blobs, queue } = storage;
  const unzipThread = createUnzipThread({ clock });
  const unpackThread = createUnpackThread({ clock });
  const sandbox = await openSandbox({
    sandbox: config.sandbox,
    network: { mode: config.network, localNetwork: config.localNetwork },
    folder: join(storage.folder, "sandboxes"),
    instance: storage.folder,
    clock,
    ids,
    onProblem: (error) => log.error(error, "the remains of an execution environment"),
  });
  if (sandbox.weakened !== undefined)
    log.warn({ reason: sandbox.weakened }, "functions run as plain processes: see thaw doctor");
  const engine = await createEngine({
    folder: storage.folder,
    backend: sandbox.backend,
    runtimesFolder: runtimesFolder(config),
    blobs,
    unzip: unzipThread,
    unpackImage: unpackThread.unpack,
    imagesFolder: config.images,
    clock,
    ids,
    log: options.logSink,
    metrics,
    traces: options.traces,
    guestTraces: options.guestTraces,
    usage: options.usage,
    credentials: options.credentials,
    onError: (error) => log.error(error, "the Runtime API of an execution environment"),
    endpointUrl: options.endpoint.url,
    publicUrls: options.endpoint.publicUrls,
    guestFolder: join(installation.home, "guest"),
    nodeModulesFolder: join(installation.home, "node_modules"),
    path: hostPath(),
    concurrencyLimit: config.concurrency,
  }).catch(async (error: unknown) => {
    await sandbox.backend.close();
    throw error;
  });
  const asyncInvoker = createAsyncInvoker({
    queue,
    engine,
    clock,
    resolve: (arn, qualifier) => resolveEvent(lambda.resolver, arn, qualifier),
    limits: (event) => lambda.asyncEvents.limits(event),
    onOutcome: (event, outcome) => lambda.asyncEvents.deliver(event, outcome),
    onDiscard: ({ functionArn, requestId }, reason) =>
      log.warn({ functionArn, requestId, reason }, "gave up an asynchronous event"),
    onError: (error) => log.error(error, "asynchronous events"),
    metrics,
  });
  const pollers = new Pollers({
    clock,
    onError: (error) => log.error(error, "event source mappings"),
    most: config.concurrency,
  });
  const readiness = new Readiness(queue, clock);
  const lambda = createLambdaService({
    documents,
    blobs,
    engine,
    asyncInvoker: eventAcceptor(asyncInvoker),
    caller,
    rolePrincipal,
    polling: {
      services: new Set(["sqs"]),
      pollers,
      ready: (arn) => {
        const { account = "", region = "", resource = "" } = parseArn(arn) ?? {};
        // Where SQS keeps a queue's messages: telling of them costs no request of it.
        return (signal, afterNothing) =>
          readiness.wait([account, region, "sqs", resource], signal, afterNothing);
      },
    },
    links: options.links,
    clock,
    ids,
    account: { concurrentExecutions: config.concurrency },
    metrics,
    authenticate: options.authenticate,
    assumable: options.permissions.assumable,
    roleMay: options.permissions.roleMay,
    permissions: options.permissions.urls,
    onDeleted: options.onDeleted,
    checkSpec: async (spec) => {
      try {
        await engine.checkRuntime(spec);
      } catch (error) {
        if (error instanceof AwsError) log.warn({ function: spec.arn, version: spec.version }, error.message);
        throw error;
      }
    },
    onProblem: (problem) => log.error(problem, "lambda, in the background"),
  });
  return {
    engine,
    lambda,
    publish: (port, accept) => sandbox.publish(port, accept),
    async stop(graceMs) {
      await Promise.all([pollers.close(graceMs), asyncInvoker.close(graceMs), engine.close(graceMs)]);
      await lambda.idle();
    },
    async close() {
      lambda.close();
      readiness.close();
      await Promise.all([unzipThread.close(), unpackThread.close()]);
    },
  };
}

/** Hands events that Invoke accepts to the engine's durable queue. */
function eventAcceptor(invoker: AsyncInvoker): EventAcceptor {
  return {
    async accept(event) {
      const { account, region, functionName, qualifier, requestId, payload } = event;
      const { clientContext, traceHeader, tenantId } = event;
      const functionArn = formatArn("lambda", region, account, `function:${functionName}`);
      const invokedArn = qualifier === undefined ? functionArn : `${functionArn}:${qualifier}`;
      await invoker.accept({
        account,
        region,
        functionName,
        functionArn,
        qualifier,
        invokedArn,
        requestId,
        payload,
        clientContext,
        traceHeader,
        tenantId,
      });
    },
  };
}

/** What an accepted event runs now; undefined where its function or version is gone. */
function resolveEvent(
  resolver: Resolver,
  functionArn: string,
  qualifier: string | undefined,
): FunctionSpec | undefined {
  const arn = parseArn(functionArn);
  if (arn === undefined) return undefined;
  const name = arn.resource.slice("function:".length);
  try {
    const target = resolver.resolveName({ account: arn.account, region: arn.region, name, qualifier });
    const { alternative } = target;
    return alternative !== undefined && Math.random() < alternative.share ? alternative.spec : target.spec;
  } catch (error) {
    if (error instanceof AwsError && error.code === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

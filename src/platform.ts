import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { formatArn, parseArn } from "#core/arn";
import { AwsError } from "#core/errors";
import { isLoopback } from "#core/loopback";
import { parseRootKey } from "#core/root-key";
import type { RunningPlatform } from "#cli/command";
import { hostPath } from "#config/config";
import type { Config } from "#config/settings";
import type { CredentialSource, FunctionSpec } from "#engine/contract";
import { createUnpackThread } from "#engine/code/images/unpack-thread";
import { createUnzipThread } from "#engine/code/unzip-thread";
import { createEngine } from "#engine/engine";
import { type AsyncInvoker, createAsyncInvoker } from "#engine/invocation/async";
import { openSandbox } from "#engine/sandbox/open";
import { control } from "#server/control";
import { listen, type HttpRequest, type HttpResponse } from "#server/listener";
import { Turnstile } from "#server/turnstile";
import { createRoleSeed } from "#services/iam/seed";
import { createIamService } from "#services/iam/service";
import { keys as iamKeys, type RoleDocument } from "#services/iam/store";
import type { AsyncInvoker as EventAcceptor } from "#services/lambda/context";
import { createDownloadLinks } from "#services/lambda/download-links";
import type { Resolver } from "#services/lambda/resolver";
import { createLambdaService } from "#services/lambda/service";
import { createIngestion } from "#services/logs/ingestion";
import { createRetentionSweep } from "#services/logs/retention";
import { createLogsService } from "#services/logs/service";
import { createStsService } from "#services/sts/service";
import { openLocalStorage } from "#storage/local/open";
import type { Documents } from "#storage/documents";
import type { Storage } from "#storage/storage";
import { monitorEventLoop } from "#telemetry/event-loop";
import { createLogSink } from "#telemetry/log-sink";
import { createMetricSink } from "#telemetry/metric-sink";
import { batchedStandardError, createPlatformLog } from "#telemetry/platform-log";
import { createRequestLog } from "#telemetry/request-log";
import { createAuthenticator } from "#wire/auth/authenticate";
import { createCredentialStore } from "#wire/auth/credentials";
import { createSessions, type Sessions } from "#wire/auth/sessions";
import { createLargeBodies } from "#wire/large-bodies/large-bodies";
import { createPipeline } from "#wire/pipeline";
import { createModels } from "#wire/schema/load";
import { runtimesFolder } from "./host-report.ts";

const clock = systemClock;
const ids = systemIds;

/** The largest request: a 50 MB archive in base64, and room for the rest of its JSON. */
const MAX_BODY_BYTES = 72 * 1024 * 1024;

/** Requests that may take as long as a function does: Invoke, InvokeAsync and InvokeWithResponseStream. */
const INVOCATION = /\/(?:invocations|invoke-async|response-streaming-invocations)\/?$/;

/** How long a shutdown waits for clients to read their last answers, once nothing runs any more. */
const LAST_ANSWERS_MS = 2000;

/** How long a function's credentials last; environments do not live as long. */
const FUNCTION_CREDENTIALS_MS = 12 * 3_600_000;

interface Installation {
  /** The folder that holds `guest/` and `node_modules/`. */
  readonly home: string;
  readonly version: string;
}

/**
 * Opens the data folder, starts the parts over it, and listens.
 * @throws OperatorError where the data folder or the address cannot be had; nothing is left open then
 */
export async function startPlatform(config: Config, installation: Installation): Promise<RunningPlatform> {
  const started = clock.monotonic();
  const { data: folder, ephemeral } = config;
  const storage = await openLocalStorage({ folder, clock, ids, ephemeral });
  try {
    const { url, close } = await assemble(config, installation, storage);
    return { url, close, startedInMs: Math.round(clock.monotonic() - started) };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** Picks the back ends and wires the parts together. */
async function assemble(
  config: Config,
  { home, version }: Installation,
  storage: Storage,
): Promise<Omit<RunningPlatform, "startedInMs">> {
  const logStream = batchedStandardError();
  const log = createPlatformLog({ level: config.logLevel, json: config.logJson, stream: logStream });
  const requestLog = createRequestLog({
    level: config.logLevel,
    json: config.logJson,
    stream: logStream,
    clock,
  });
  const { documents, journal, blobs, queue } = storage;
  const key = await platformKey(documents);
  const sessions = createSessions({ key, clock, ids });
  const eventLoop = monitorEventLoop();

  const ingestion = createIngestion({ documents, journal, clock });
  const logSink = createLogSink({
    journal,
    clock,
    ensureStream: (...stream) => ingestion.ensureStream(...stream),
    onError: (error) => log.error(error, "function logs"),
  });
  const metrics = createMetricSink({ clock });
  const retention = createRetentionSweep({
    documents,
    journal,
    clock,
    onError: (error) => log.error(error, "log retention"),
  });
  let url = "";
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
    unzip: unzipThread.unzip,
    unpackImage: unpackThread.unpack,
    imagesFolder: config.images,
    clock,
    ids,
    log: logSink,
    metrics,
    credentials: roleCredentials(sessions, documents),
    onError: (error) => log.error(error, "the Runtime API of an execution environment"),
    endpointUrl: () => url,
    guestFolder: join(home, "guest"),
    nodeModulesFolder: join(home, "node_modules"),
    path: hostPath(),
    concurrencyLimit: config.concurrency,
  });

  const links = createDownloadLinks({ key: derivedKey(key, "download links"), clock });
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
  });
  const authenticate = createAuthenticator({ credentials: credentialStore(config, sessions), clock });
  const lambda = createLambdaService({
    documents,
    blobs,
    engine,
    asyncInvoker: eventAcceptor(asyncInvoker),
    links,
    clock,
    ids,
    account: { concurrentExecutions: config.concurrency },
    metrics,
    authenticate,
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
  const seedRole = createRoleSeed({ documents, clock, ids });
  const seeded = new Set<string>();
  const seed = async (account: string): Promise<void> => {
    await seedRole(account);
    seeded.add(account);
  };
  const largeBodies = createLargeBodies({ clock });
  const pipeline = createPipeline({
    models: createModels(),
    services: [
      lambda,
      createLogsService({ documents, journal, clock, ingestion }),
      createIamService({ documents, clock, ids }),
      createStsService(),
    ],
    largeBodies,
    authenticate,
    // Every account is an account from its first request on, with the role for first steps in it.
    authorise: (_service, _operation, _input, { account }) =>
      seeded.has(account) ? undefined : seed(account),
    ids,
    clock,
    onInternalError: (error, request) => log.error({ err: error, ...request }, "internal failure"),
    ...(requestLog === undefined
      ? {}
      : {
          onAnswer: ({ method, path }, label, status, durationMs) =>
            requestLog({ method, path, ...label, status, durationMs }),
        }),
  });

  // What reads and then writes must not see everything vanish in between. Invocations may: they have what they need.
  const turnstile = new Turnstile();
  const handle = (request: HttpRequest): Promise<HttpResponse> =>
    INVOCATION.test(request.path) ? pipeline.handle(request) : turnstile.pass(() => pipeline.handle(request));

  const serveUrl = (request: HttpRequest): Promise<HttpResponse> | undefined =>
    lambda.urls.serve(request, (answer) =>
      requestLog?.({
        method: request.method,
        path: request.path,
        service: "lambda",
        operation: "InvokeFunctionUrl",
        ...answer,
      }),
    );

  let closing: Promise<void> | undefined;
  const controls = {
    version,
    health: () => ({
      status: closing === undefined ? "ready" : "draining",
      version,
      ...engine.status(),
      eventLoopDelayMs: eventLoop.read(),
    }),
    reset: config.allowReset
      ? () =>
          turnstile.alone(async () => {
            await lambda.idle();
            await logSink.flush();
            await storage.reset();
            seeded.clear();
            lambda.reset();
            // Their functions are gone, and a new one of the same name is another one.
            engine.retireAll();
            // Sessions and links that were given out stay what they are: the key is the platform's, not the account's.
            await keepKey(documents, key);
          })
      : undefined,
    download: (path: string, search: string) => {
      const blob = links.verify(path, search);
      return blob === undefined ? undefined : blobs.open(blob);
    },
    isLoopback,
  };
  await seed(config.account);
  await lambda.resume();
  const endParts = async (graceMs: number): Promise<void> => {
    await Promise.all([asyncInvoker.close(graceMs), engine.close(graceMs)]);
    await lambda.idle();
  };
  const listener = await listen({
    host: config.host,
    port: config.port,
    maxBodyBytes: MAX_BODY_BYTES,
    bodyLimit: (host, path) => lambda.urls.bodyLimit(host, path),
    handle: (request) => serveUrl(request) ?? control(controls, request) ?? handle(request),
    onError: (error) => log.error(error, "listener"),
  }).catch(async (error: unknown) => {
    await endParts(0);
    throw error;
  });
  url = listener.url;
  // Environments wait for it; requests need not.
  void sandbox
    .publish(Number(new URL(url).port), (socket) => listener.accept(socket))
    .catch((error: unknown) => log.error(error, "functions do not reach this endpoint"));
  retention.start();
  const onStray = (error: unknown): void => log.fatal(error, "an error that nothing caught");
  process.on("uncaughtException", onStray);
  process.on("unhandledRejection", onStray);

  async function shutDown(graceMs: number): Promise<void> {
    const answered = listener.close();
    await endParts(graceMs);
    const last = clock.after(LAST_ANSWERS_MS, () => listener.cut());
    await answered;
    last.cancel();
    await retention.stop();
    lambda.close();
    await Promise.all([largeBodies.close(), unzipThread.close(), unpackThread.close()]);
    await logSink.close();
    metrics.close();
    await storage.close();
    eventLoop.stop();
    process.off("uncaughtException", onStray);
    process.off("unhandledRejection", onStray);
    logStream.flushSync();
  }

  return {
    url,
    close(graceMs = config.grace * 1000) {
      if (closing === undefined) closing = shutDown(graceMs);
      else if (graceMs === 0) void Promise.all([asyncInvoker.close(0), engine.close(0)]);
      return closing;
    },
  };
}

const KEY = ["platform", "global", "key"] as const;

/** The key that seals session tokens and signs links: made once for a data folder. */
async function platformKey(documents: Documents): Promise<Buffer> {
  const found = documents.get<string>(KEY);
  if (found !== undefined) return Buffer.from(found.value, "base64");
  const key = randomBytes(32);
  await keepKey(documents, key);
  return key;
}

async function keepKey(documents: Documents, key: Buffer): Promise<void> {
  await documents.commit([{ key: KEY, value: key.toString("base64") }]);
}

function derivedKey(key: Buffer, purpose: string): Buffer {
  return createHmac("sha256", key).update(purpose).digest();
}

function credentialStore(config: Config, sessions: Sessions) {
  return createCredentialStore({
    account: config.account,
    rootKey: parseRootKey(config.rootKey),
    sessions,
  });
}

/** Temporary credentials of a function's role, as Lambda names their session: by the function. */
function roleCredentials(sessions: Sessions, documents: Documents): CredentialSource {
  return {
    // The function's own account, whatever its role's ARN says: credentials never reach into another one.
    forFunction({ roleArn, name, account }: FunctionSpec) {
      const roleName = roleArn.slice(roleArn.lastIndexOf("/") + 1);
      const role = documents.get<RoleDocument>(iamKeys.role(account, roleName));
      return sessions.mint({
        account,
        roleArn,
        // A role that is kept elsewhere has no id here; its name stands in for it.
        roleId: role?.value.id ?? roleName,
        sessionName: name,
        durationMs: FUNCTION_CREDENTIALS_MS,
      });
    },
  };
}

/** Hands events that Invoke accepts to the engine's durable queue. */
function eventAcceptor(invoker: AsyncInvoker): EventAcceptor {
  return {
    async accept(event) {
      const { account, region, functionName, qualifier } = event;
      const functionArn = formatArn("lambda", region, account, `function:${functionName}`);
      const invokedArn = qualifier === undefined ? functionArn : `${functionArn}:${qualifier}`;
      await invoker.accept({ ...event, functionArn, invokedArn });
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

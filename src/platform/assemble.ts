import { otlpEnvironment } from "#config/config";
import { isLoopback } from "#core/loopback";
import { servicePrincipal } from "#core/principal";
import type { RunningPlatform } from "#cli/command";
import { control } from "#server/control";
import { listen, type HttpRequest, type HttpResponse, type Listener } from "#server/listener";
import { Turnstile } from "#server/turnstile";
import { VerdictCache } from "#policy/verdict-cache";
import { createLastUsed } from "#services/iam/last-used";
import { createPrincipals } from "#services/iam/principals";
import { createRoleSeed } from "#services/iam/seed";
import { publishedAt } from "#services/iam/token-issuer";
import { createDownloadLinks } from "#services/lambda/download-links";
import { createIngestion } from "#services/logs/ingestion";
import { monitorEventLoop } from "#telemetry/event-loop";
import { type Family, writeOpenMetrics } from "#telemetry/open-metrics";
import { createLogSink } from "#telemetry/log-sink";
import { createMetricSink } from "#telemetry/metric-sink";
import { batchedStandardError, createPlatformLog } from "#telemetry/platform-log";
import { createRequestLog } from "#telemetry/request-log";
import { UsageStore } from "#telemetry/usage/store";
import { createAuthenticator } from "#wire/auth/authenticate";
import { limitFailures } from "#wire/auth/failure-limit";
import { createSessions } from "#wire/auth/sessions";
import { createAuthoriser } from "#wire/authorisation/authorise";
import { createEncodedMessages } from "#wire/authorisation/encoded-messages";
import type { Asking } from "#wire/authorisation/types";
import { PermissionUsage } from "#wire/authorisation/usage";
import { createAwsCaller } from "#wire/aws-caller";
import { createLargeBodies } from "#wire/large-bodies/large-bodies";
import { createPipeline, type PipelineParts } from "#wire/pipeline";
import { streamsBody } from "#wire/routing/uploads";
import { bucketOfHost } from "#wire/routing/virtual-host";
import { createModels } from "#wire/schema/load";
import { auditLog } from "./audit.ts";
import { LateCaller } from "./caller.ts";
import { openHostDaemon } from "./host-daemon.ts";
import { createFunctions } from "./functions.ts";
import { credentialStore, roleCredentials, rolePrincipal } from "./identity.ts";
import { derivedKey, keepKey, platformKey } from "./keys.ts";
import { createLogGate } from "./log-gate.ts";
import { createNeighbours } from "./neighbours.ts";
import { createOtlpIntake } from "./otlp-intake.ts";
import { platformFamilies } from "./open-metrics.ts";
import type { Shared } from "./shared.ts";
import { openTls } from "./tls.ts";
import { createTraces } from "./traces.ts";
import { readUsage } from "./usage.ts";

/** The largest request: a 50 MB archive in base64, and room for the rest of its JSON. */
const MAX_BODY_BYTES = 72 * 1024 * 1024;

/** Requests that may take as long as a function does: Invoke, InvokeAsync and InvokeWithResponseStream. */
const INVOCATION = /\/(?:invocations|invoke-async|response-streaming-invocations)\/?$/;

/** How long a shutdown waits for clients to read their last answers, once nothing runs any more. */
const LAST_ANSWERS_MS = 2000;

/** Picks the back ends and wires the parts together. */
export async function assemble(
  given: Pick<Shared, "config" | "installation" | "storage" | "clock" | "ids">,
): Promise<Omit<RunningPlatform, "startedInMs">> {
  const { config, installation, storage, clock, ids } = given;
  const { version } = installation;
  const { documents, journal, blobs } = storage;
  const logStream = batchedStandardError();
  const log = createPlatformLog({ level: config.logLevel, json: config.logJson, stream: logStream });
  const requestLog = createRequestLog({
    level: config.logLevel,
    json: config.logJson,
    stream: logStream,
    clock,
  });
  const tls = await openTls(config, storage.folder, { clock, ids, log });
  const key = await platformKey(documents);
  const sessions = createSessions({ key, clock, ids });
  const eventLoop = monitorEventLoop();
  const metrics = createMetricSink({ clock });
  const caller = new LateCaller();
  let addresses: ReturnType<typeof addressesOf> = { url: "", plainUrl: "", publicUrls: [] };
  const shared: Shared = {
    ...given,
    log,
    metrics,
    caller,
    key,
    models: createModels(),
    url: () => addresses.url,
  };

  const ingestion = createIngestion({ documents, journal, clock });
  const logSink = createLogSink({
    journal: ingestion,
    clock,
    ensureStream: (first) => logGate.admit(first),
    onError: (error) => log.error(error, "function logs"),
  });
  const billed = new UsageStore({
    documents,
    journal,
    clock,
    onError: (error) => log.error(error, "the usage of functions"),
  });
  const links = createDownloadLinks({ key: derivedKey(key, "download links"), clock });
  const verdicts = new VerdictCache();
  const principals = createPrincipals({ documents, cache: verdicts });
  const usage = new PermissionUsage();
  const called = (operation: string, action: string, { principal, region, receivedAt }: Asking): void => {
    if (principal !== undefined) usage.called(operation, action, principal, region, receivedAt);
  };
  const lastUsed = createLastUsed({
    documents,
    clock,
    usage,
    onError: (error) => log.error(error, "when roles, users and keys were used"),
  });
  const verify = createAuthenticator({
    credentials: credentialStore(config, sessions, principals),
    clock,
  });
  const authenticate = isLoopback(config.host) ? verify : limitFailures(verify, clock);
  const otlpIntake = createOtlpIntake(shared, authenticate);
  const traces = createTraces(shared, otlpIntake);
  const functions = await createFunctions(shared, {
    logSink,
    traces: traces.sink,
    guestTraces: traces.guests,
    usage: billed,
    credentials: roleCredentials(sessions, documents),
    endpoint: { url: () => addresses.plainUrl, publicUrls: () => addresses.publicUrls },
    authenticate,
    links,
    assumable: (role, functionArn) =>
      config.iam === "off" || principals.assumableBy("lambda.amazonaws.com", role, functionArn),
    may: (principal, at, question) =>
      authoriser.refusal("lambda", "AssumeRole", [question], {
        ...at,
        principal,
        baseUrl: shared.url(),
        headers: {},
        receivedAt: clock.now(),
      }) === undefined,
    permissions: (questions, asking) => {
      const [question] = questions;
      if (question !== undefined) called("InvokeFunctionUrl", question.action, asking);
      const refused = authoriser.refusal("lambda", "InvokeFunctionUrl", questions, asking);
      return refused === undefined ? "granted" : "refused";
    },
  });
  const { engine, lambda } = functions;
  const messages = createEncodedMessages({ key: derivedKey(key, "authorization messages"), ids });
  const neighbours = createNeighbours(shared, {
    ingestion,
    principals,
    lastUsed,
    sessions,
    usage,
    messages,
    enforced: config.iam === "enforce",
    onSegments: (taken) => otlpExport?.segments(taken),
  });
  const families = async (): Promise<readonly Family[]> => {
    const others = await Promise.all(neighbours.map(async (part) => (await part.openMetrics?.()) ?? []));
    return [
      ...platformFamilies(engine.status(), eventLoop.read()),
      ...traces.families(),
      ...(otlpExport?.families() ?? []),
      ...others.flat(),
    ];
  };
  const otlpExport = config.otlp === undefined ? undefined : await sendOut(shared, config.otlp, families);
  if (otlpExport !== undefined) ingestion.follow((events) => otlpExport.logs(events));

  const seedRole = createRoleSeed({ documents, clock, ids });
  const seeded = new Set<string>();
  const seed = async (account: string): Promise<void> => {
    await seedRole(account);
    seeded.add(account);
  };
  const largeBodies = createLargeBodies({ clock });
  const services = [lambda, ...neighbours.map(({ definition }) => definition)];
  const audit = config.iam === "audit" ? auditLog(log) : undefined;
  const authoriser = createAuthoriser({
    services,
    principals,
    cache: verdicts,
    mode: config.iam,
    clock,
    onCall: called,
    onAnswer: (answered) => {
      usage.record(answered);
      audit?.(answered);
    },
    onDenial: (denial) => usage.denied(denial),
  });
  const logGate = createLogGate({
    ingestion,
    authoriser,
    revisionOf: (account) => principals.revisionOf(account),
    mode: config.iam,
    actAs: rolePrincipal(documents, clock),
    onCall: called,
    onUse: (answered) => usage.record(answered),
    url: shared.url,
    clock,
    log,
  });
  const parts: PipelineParts = {
    models: shared.models,
    services,
    authorise(service, operation, input, call) {
      const ask = () => authoriser.authorise(service.name, operation.name, input, call);
      // Every account is an account from its first request on, with the role for first steps in it.
      return seeded.has(call.account) ? ask() : seed(call.account).then(ask);
    },
    ids,
    clock,
    onInternalError: (error, request) => log.error({ err: error, ...request }, "internal failure"),
  };
  caller.connect(createAwsCaller({ ...parts, baseUrl: shared.url }));
  const pipeline = createPipeline({
    ...parts,
    largeBodies,
    authenticate,
    // May nothing of its own: what it is given, a token in the request has earned.
    unsigned: {
      principal: servicePrincipal("sts.amazonaws.com", { account: config.account }),
      region: config.region,
    },
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

  const serveUrl = (request: HttpRequest): Promise<HttpResponse> | undefined => {
    if (!isWhole(request)) return undefined;
    return lambda.urls.serve(request, (answer) =>
      requestLog?.({
        method: request.method,
        path: request.path,
        service: "lambda",
        operation: "InvokeFunctionUrl",
        ...answer,
      }),
    );
  };

  const servers = neighbours.flatMap(({ serve }) => (serve === undefined ? [] : [serve]));
  const serveOther = (request: HttpRequest): Promise<HttpResponse> | undefined => {
    for (const serve of [(one: HttpRequest) => otlpIntake.serve(one), ...servers]) {
      const answer = serve(request);
      if (answer !== undefined) return turnstile.pass(answer);
    }
    return undefined;
  };

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
      ? () => {
          const done = turnstile.alone(async () => {
            await lambda.idle();
            await Promise.all([logSink.flush(), traces.flush()]);
            await storage.reset();
            seeded.clear();
            lambda.reset();
            principals.reset();
            usage.clear();
            logGate.reset();
            for (const part of neighbours) part.reset?.();
            // Their functions are gone, and a new one of the same name is another one.
            engine.retireAll();
            billed.reset();
            // Sessions and links that were given out stay what they are: the key is the platform's, not the account's.
            await keepKey(documents, key);
          });
          for (const part of neighbours) part.release?.();
          return done;
        }
      : undefined,
    download: (path: string, search: string) => {
      const blob = links.verify(path, search);
      return blob === undefined ? undefined : blobs.open(blob);
    },
    metrics: async () => writeOpenMetrics(await families()),
    issuer: (path: string) => publishedAt(documents, path),
    cost: (query: string) => readUsage(billed, query, clock.now()),
    permissions: () => ({
      uses: usage.uses(),
      denials: usage.denials().map(({ account, details, ...denial }) => ({
        ...denial,
        encodedMessage: messages.encode(account, details),
      })),
    }),
    outbox: () => neighbours.flatMap((part) => part.outbox?.() ?? []),
  };
  await seed(config.account);
  await billed.start();
  await lambda.resume();
  const listener = await listen({
    host: config.host,
    port: config.port,
    maxBodyBytes: MAX_BODY_BYTES,
    bodyLimit: (host, path) => lambda.urls.bodyLimit(host, path),
    streams: streamsBody,
    handle: (request) =>
      serveUrl(request) ??
      (isBucket(request) ? undefined : control(controls, request)) ??
      serveOther(request) ??
      handle(request),
    onError: (error) => log.error(error, "listener"),
    ...(tls === undefined ? {} : { tls: { identity: tls.identity, clock }, publicHost: tls.publicHost }),
  }).catch(async (error: unknown) => {
    await functions.stop(0);
    throw error;
  });
  addresses = addressesOf(listener, tls?.hosts);
  const { url } = listener;
  const unwatch = tls?.watch((identity) => listener.useIdentity(identity));
  const { xrayDaemon } = config;
  const hostDaemon =
    xrayDaemon === undefined
      ? undefined
      : await openHostDaemon(shared, xrayDaemon).catch(async (error: unknown) => {
          unwatch?.();
          await listener.close();
          await functions.stop(0);
          throw error;
        });
  // Environments wait for it; requests need not.
  void functions
    .publish(Number(new URL(url).port), (socket) => listener.accept(socket))
    .catch((error: unknown) => log.error(error, "functions do not reach this endpoint"));
  const onStray = (error: unknown): void => log.fatal(error, "an error that nothing caught");
  process.on("uncaughtException", onStray);
  process.on("unhandledRejection", onStray);
  for (const part of neighbours) await part.start?.();

  async function shutDown(graceMs: number): Promise<void> {
    unwatch?.();
    const answered = listener.close();
    // What they have sent on its way may still be a function's: they end before the engine does.
    await Promise.all(neighbours.map(async (part) => part.stop?.(graceMs)));
    await functions.stop(graceMs);
    const last = clock.after(LAST_ANSWERS_MS, () => listener.cut());
    await answered;
    last.cancel();
    await Promise.all([traces.close(), hostDaemon?.close()]);
    await Promise.all([largeBodies.close(), functions.close()]);
    principals.close();
    await logSink.close();
    await otlpExport?.close();
    await Promise.all(neighbours.map(async (part) => part.close?.()));
    await billed.close();
    metrics.close();
    await storage.close();
    eventLoop.stop();
    process.off("uncaughtException", onStray);
    process.off("unhandledRejection", onStray);
    logStream.flushSync();
  }

  return {
    url,
    authority: tls?.authority,
    close(graceMs = config.grace * 1000) {
      if (closing === undefined) closing = shutDown(graceMs);
      else if (graceMs === 0) void functions.stop(0);
      return closing;
    },
  };
}

/** The platform's address by each of its names; without TLS it is the one that it tells. */
function addressesOf({ url, plainUrl }: Listener, hosts: readonly string[] = []) {
  const others = hosts.map((host) =>
    url.replace(/\/\/.*(?=:\d+$)/, host.includes(":") ? `//[${host}]` : `//${host}`),
  );
  return { url, plainUrl, publicUrls: [...new Set([url, ...others])] };
}

/** A visit of `/` by a bucket's host name is for the bucket. */
function isBucket({ path, headers }: HttpRequest): boolean {
  return path === "/" && bucketOfHost(headers["host"]) !== undefined;
}

/** Only uploads to S3 come as streams. */
function isWhole(request: HttpRequest): request is HttpRequest & { readonly body: Buffer } {
  return Buffer.isBuffer(request.body);
}

/** Loads what sends, which a platform without a collector never needs. */
async function sendOut(shared: Shared, endpoint: string, read: () => Promise<readonly Family[]>) {
  const { openOtlpExport } = await import("./otlp-export.ts");
  return openOtlpExport(shared, endpoint, otlpEnvironment(), read);
}

import { isLoopback } from "#core/loopback";
import type { RunningPlatform } from "#cli/command";
import { Turnstile } from "#server/turnstile";
import { createDownloadLinks } from "#services/lambda/download-links";
import { createIngestion } from "#services/logs/ingestion";
import { monitorEventLoop } from "#telemetry/event-loop";
import { createLogSink } from "#telemetry/log-sink";
import { createMetricSink } from "#telemetry/metric-sink";
import { batchedStandardError, createPlatformLog } from "#telemetry/platform-log";
import { createRequestLog } from "#telemetry/request-log";
import { UsageStore } from "#telemetry/usage/store";
import { createAuthenticator } from "#wire/auth/authenticate";
import { limitFailures } from "#wire/auth/failure-limit";
import { createSessions } from "#wire/auth/sessions";
import { createAwsCaller } from "#wire/aws-caller";
import { createLargeBodies } from "#wire/large-bodies/large-bodies";
import type { PipelineParts } from "#wire/pipeline";
import { createModels } from "#wire/schema/load";
import { createAccounts } from "./accounts.ts";
import { Addresses } from "./addresses.ts";
import { LateCaller } from "./caller.ts";
import { openCollector } from "./collector.ts";
import { DeletedFunctions } from "./deleted-functions.ts";
import { createControls } from "./controls.ts";
import { openDoors } from "./doors.ts";
import { createFunctions } from "./functions.ts";
import { credentialStore, roleCredentials, rolePrincipal } from "./identity.ts";
import { derivedKey, platformKey } from "./keys.ts";
import { Lifecycle } from "./lifecycle.ts";
import { createNeighbours } from "./neighbours.ts";
import { Drops } from "./drops.ts";
import { familiesOf } from "./open-metrics.ts";
import type { OtlpExport } from "./otlp-export.ts";
import { createOtlpIntake } from "./otlp-intake.ts";
import { createPermissions } from "./permissions.ts";
import { createRequestHandler } from "./requests.ts";
import type { Shared } from "./shared.ts";
import { openRootKey } from "./root-key.ts";
import { openTls } from "./tls.ts";
import { createTraces } from "./traces.ts";

/** Picks the back ends and wires the parts together; `Lifecycle` has the order in which they start and end. */
export async function assemble(
  given: Pick<Shared, "config" | "installation" | "storage" | "clock" | "ids">,
): Promise<Omit<RunningPlatform, "startedInMs">> {
  const { config, storage, clock, ids } = given;
  const { documents, journal } = storage;
  const logStream = batchedStandardError();
  const written = { level: config.logLevel, json: config.logJson, stream: logStream };
  const log = createPlatformLog(written);
  const requestLog = createRequestLog({ ...written, clock });
  const tls = await openTls(config, storage.folder, { clock, ids, log });
  const rootKey = await openRootKey(config, storage.folder, { ids, log });
  const key = await platformKey(documents);
  const eventLoop = monitorEventLoop();
  const metrics = createMetricSink({ clock });
  const caller = new LateCaller();
  const addresses = new Addresses();
  const models = createModels();
  const drops = new Drops();
  const shared: Shared = {
    ...given,
    log,
    metrics,
    drops,
    caller,
    key,
    models,
    url: () => addresses.url,
    rolePrincipal: rolePrincipal(documents, clock),
  };

  const ingestion = createIngestion({ documents, journal, clock });
  const permissions = createPermissions(shared, ingestion);
  const logSink = createLogSink({
    journal: ingestion,
    clock,
    ensureStream: (first) => permissions.admit(first),
    onError: (error) => log.error(error, "function logs"),
    onDropped: (lines) => drops.add("log lines", lines),
  });
  const billed = new UsageStore({
    documents,
    journal,
    clock,
    onError: (error) => log.error(error, "the usage of functions"),
  });
  const links = createDownloadLinks({ key: derivedKey(key, "download links"), clock });
  const sessions = createSessions({ key, clock, ids });
  const verify = createAuthenticator({
    credentials: credentialStore(config, rootKey.key, sessions, permissions.principals),
    clock,
  });
  const authenticate = isLoopback(config.host) ? verify : limitFailures(verify, clock);
  const otlpIntake = createOtlpIntake(shared, authenticate);
  const traces = createTraces(shared, otlpIntake);
  const deleted = new DeletedFunctions(clock, (arns) => {
    functions.lambda.forgetDeleted();
    permissions.forget(arns);
    for (const part of neighbours) part.forget?.(arns);
  });
  const functions = await createFunctions(shared, {
    logSink,
    traces: traces.sink,
    guestTraces: traces.guests,
    usage: billed,
    credentials: roleCredentials(sessions, documents),
    endpoint: { url: () => addresses.plainUrl, publicUrls: () => addresses.publicUrls },
    authenticate,
    links,
    permissions,
    onDeleted: (arn) => deleted.add(arn),
  });
  const { engine, lambda } = functions;
  let collector: OtlpExport | undefined;
  const neighbours = createNeighbours(shared, {
    ingestion,
    permissions,
    sessions,
    enforced: config.iam === "enforce",
    onSegments: (taken) => collector?.segments(taken),
  });
  const families = familiesOf({ engine, eventLoop, traces, drops, neighbours, collector: () => collector });
  collector = await openCollector(shared, ingestion, families);

  const services = [lambda, ...neighbours.map(({ definition }) => definition)];
  permissions.connect(services);
  const accounts = createAccounts(shared);
  const pipeline: PipelineParts = {
    models,
    services,
    authorise(service, operation, input, call) {
      const ask = () => permissions.authorise(service.name, operation.name, input, call);
      return accounts.has(call.account) ? ask() : accounts.make(call.account).then(ask);
    },
    ids,
    clock,
    onInternalError: (error, request) => log.error({ err: error, ...request }, "internal failure"),
  };
  caller.connect(createAwsCaller({ ...pipeline, baseUrl: shared.url }));

  const largeBodies = createLargeBodies({ clock });
  const turnstile = new Turnstile();
  const lifecycle = new Lifecycle(shared, {
    accounts,
    billed,
    collector,
    eventLoop,
    functions,
    largeBodies,
    logSink,
    logStream,
    neighbours,
    permissions,
    traces,
    turnstile,
  });
  const controls = createControls(shared, {
    lifecycle,
    engine,
    eventLoop,
    links,
    families,
    billed,
    permissions,
    neighbours,
  });
  const handle = createRequestHandler(shared, {
    pipeline,
    largeBodies,
    authenticate,
    requestLog,
    turnstile,
    controls,
    lambda,
    otlpIntake,
    neighbours,
  });
  const bodyLimit = (host: string | undefined, path: string) => lambda.urls.bodyLimit(host, path);
  const doors = await lifecycle.start(() => openDoors(shared, { tls, addresses, handle, bodyLimit }));
  return {
    url: doors.listener.url,
    folder: storage.folder,
    authority: tls?.authority,
    rootKey: rootKey.key,
    rootKeyFile: rootKey.file,
    close: (graceMs = config.grace * 1000) => lifecycle.close(doors, graceMs),
  };
}

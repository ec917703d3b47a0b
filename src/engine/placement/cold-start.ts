import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { ImageStore } from "../code/images/store.ts";
import type { FolderUse } from "../code/folder-use.ts";
import type { CodeStore } from "../code/store.ts";
import type {
  CredentialSource,
  FunctionSpec,
  GuestTraces,
  InitializationType,
  LogSink,
} from "../contract.ts";
import { bootEnvironment } from "../environment/environment.ts";
import type { EnvironmentView, InitResult, StemEnvironment } from "../environment/contract.ts";
import type { LogWriter } from "#telemetry/log-sink";
import { initEnd } from "../environment/exits.ts";
import { EnvironmentLog } from "../environment/log.ts";
import { levelFilter } from "../environment/log-level.ts";
import { instanceOf, SystemLog } from "../invocation/system-log.ts";
import { bootPlan, functionEnvironment, runtimeEnvironment } from "../runtimes/boot.ts";
import { TraceDaemon } from "../runtime-api/trace-daemon.ts";
import type { BootPlan } from "../runtimes/boot.ts";
import { imageRun } from "../runtimes/image.ts";
import type { RuntimeDiscovery } from "../runtimes/discover.ts";
import { launcherView, provided } from "../runtimes/provided.ts";
import type { RuntimeParts } from "../runtimes/parts.ts";
import type { GuestPaths, SandboxBackend, SandboxOptions, Specialisation } from "../sandbox/contract.ts";
import { guestSetup, launchPlan } from "./guest-setup.ts";
import type { GuestSetup } from "./guest-setup.ts";
import { logStreamName } from "./log-stream.ts";
import { StemPool } from "./stems.ts";
import type { StemKind } from "./stems.ts";

export interface ColdStartOptions {
  readonly backend: SandboxBackend;
  readonly code: CodeStore;
  readonly images: ImageStore;
  /** Told which folders living environments hold. */
  readonly use: FolderUse;
  readonly discovery: RuntimeDiscovery;
  readonly parts: RuntimeParts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: LogSink;
  readonly guestTraces?: GuestTraces;
  readonly credentials: CredentialSource;
  readonly endpointUrl: () => string;
  readonly publicUrls?: (() => readonly string[]) | undefined;
  readonly guestFolder: string;
  /** Told of errors of the platform's own that its guests' HTTP APIs met. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Stem environments to keep at most. */
  readonly maxStems: number;
}

/** What must be there before an environment of a spec can start. */
export interface Prepared {
  readonly plan: BootPlan;
  readonly specialisation: Specialisation;
  readonly setup: GuestSetup;
}

export interface StartedBy {
  readonly spec: FunctionSpec;
  readonly tenantId?: string | undefined;
  readonly prepared: Prepared;
  /** Whether this is the init phase proper, or its repetition within an invocation after it failed. */
  readonly phase: "init" | "invoke";
  /** Of the environment whose init is repeated: AWS repeats it in the same one, so a reader of its log finds both. */
  readonly logStream?: string | undefined;
  readonly initializationType: InitializationType;
  readonly initTimeoutMs: number;
  readonly tail: boolean;
  readonly onDeath: (environment: EnvironmentView) => void;
}

/** Starts environments: from a stem environment where one waits, else from nothing. */
export class ColdStarter {
  readonly #options: ColdStartOptions;
  readonly #stems: StemPool | undefined;

  constructor(options: ColdStartOptions) {
    this.#options = options;
    // Where guests see the host's paths, these differ by function and are needed when the process starts (LD_LIBRARY_PATH).
    if (options.backend.layout === "aws" && options.maxStems > 0)
      this.#stems = new StemPool({ ...options, max: options.maxStems, runtimeApi: options.ids });
  }

  /** @throws AwsError where there is no interpreter or the code cannot be opened */
  async prepare(spec: FunctionSpec): Promise<Prepared> {
    if (spec.code.image !== undefined) return this.#prepareImage(spec);
    const { code } = this.#options;
    const [plan, unpacked, layers] = await Promise.all([
      this.#plan(spec),
      code.prepare(spec.code),
      code.prepareLayers(spec.layers),
      this.#options.backend.ready?.(),
    ]);
    const specialisation = { code: unpacked, layers };
    return { plan, specialisation, setup: await guestSetup(spec, plan, specialisation) };
  }

  async #prepareImage(spec: FunctionSpec): Promise<Prepared> {
    const plan = await this.#plan(spec);
    const [image] = await Promise.all([
      this.#options.images.prepare(spec.code),
      this.#options.backend.ready?.(),
    ]);
    const run = await imageRun(spec, image);
    const specialisation = { code: image.root, layers: undefined };
    return {
      plan: { ...plan, imageVariables: run.variables },
      specialisation,
      setup: await guestSetup(spec, plan, specialisation, run),
    };
  }

  /** Starts an environment; `onInit` is called once, never before this has returned. */
  start(by: StartedBy, onInit: (result: InitResult, environment: EnvironmentView) => void): EnvironmentView {
    const { backend, clock, ids, guestTraces } = this.#options;
    const { spec, prepared, initializationType } = by;
    const { plan, specialisation, setup } = prepared;
    const now = clock.now();
    const ready = this.#readyStem(by);
    const letGo = this.#options.use.hold([specialisation.code, specialisation.layers]);
    const id = ready?.id ?? ids.hex(32);
    const stream = by.logStream ?? logStreamName(spec, id, now);
    const log = new EnvironmentLog(
      this.#options.log,
      {
        account: spec.account,
        region: spec.region,
        group: spec.logging.group,
        stream,
        writer: writerOf(spec),
      },
      levelFilter(spec.logging),
    );
    const systemLog = new SystemLog(log, spec.logging, initializationType);
    systemLog.initStart(
      now,
      by.phase,
      instanceOf(spec, stream),
      setup.image === undefined ? plan : undefined,
    );
    // INIT_START stands in the log stream alone: Invoke's tail begins with what the function does.
    if (by.tail) log.keepTail();
    const paths = backend.paths(id, specialisation);
    const variables = functionEnvironment({
      spec,
      plan,
      paths,
      logStream: stream,
      initializationType,
      credentials: this.#options.credentials.forFunction(spec),
      endpointUrl: backend.endpointUrl(this.#options.endpointUrl()),
      publicUrls: this.#options.publicUrls?.() ?? [this.#options.endpointUrl()],
    });
    const stem = ready ?? this.#boot(id, by, variables);
    const withApi = (listener: Readonly<Record<string, string>>): Record<string, string> => ({
      ...variables,
      ...(backend.layout === "host" ? { TMPDIR: paths.tmp } : {}),
      ...listener,
      ...ownDaemon(spec.environment),
    });
    const environment: EnvironmentView = stem.adopt({
      specId: spec.id,
      tenantId: by.tenantId,
      specialisation,
      log,
      initTimeoutMs: by.initTimeoutMs,
      launch: (listener) =>
        launchPlan({
          setup,
          paths,
          command: plan.language.command(plan.view, spec.memoryMb),
          variables: withApi(listener),
        }),
      api: {
        identity: {
          account: spec.account,
          name: spec.name,
          version: spec.version,
          handler: spec.handler,
        },
        traceDaemon: guestTraces === undefined ? undefined : new TraceDaemon(spec, guestTraces, clock),
        extensions: setup.extensions.map(({ name }) => name),
        initializationType,
        initPhase: by.phase,
        structuredLog: spec.logging.format === "JSON",
        onExtension: (extension) => systemLog.extension(clock.now(), extension),
        onSubscribed: (name, api, types) => systemLog.subscribed(clock.now(), name, api, types),
        onError: (error) => this.#options.onError?.(error),
      },
      init: (listener) =>
        JSON.stringify({
          handler: spec.handler,
          taskRoot: paths.task,
          // What the launcher has started has them already, and more where a wrapper script has added to them.
          environment: setup.protocol.launched ? undefined : withApi(listener),
          runtime: spec.runtime,
          functionName: spec.name,
          functionVersion: spec.version,
          memoryMb: spec.memoryMb,
          logGroup: spec.logging.group,
          logStream: stream,
          logFormat: spec.logging.format,
          applicationLogLevel: spec.logging.applicationLevel,
          initType: initializationType,
          runtimePath: plan.view.runtimePath,
          layerPaths: paths.opt === undefined ? [] : [paths.opt],
        }),
      onDeath: (dead) => {
        letGo();
        by.onDeath(dead);
      },
      onInit: (result) => {
        if (result.kind === "ready") systemLog.initialised(clock.now(), result.initMs);
        else systemLog.initReport(clock.now(), by.phase, result.initMs, initEnd(result));
        onInit(result, environment);
      },
    });
    return environment;
  }

  /** Has made ready, up to a stem environment, what a function needs that may be invoked soon. */
  async anticipate(spec: FunctionSpec): Promise<void> {
    const plan = await this.#plan(spec);
    this.#options.backend.expect?.({
      mounts: plan.view.mounts,
      ephemeralStorageMb: spec.ephemeralStorageMb,
    });
    if (this.#stems === undefined) return;
    if (suitsStem(spec, plan)) this.#stems.anticipate(this.#kind(spec, plan));
  }

  async close(): Promise<void> {
    await this.#stems?.close();
  }

  #readyStem({ spec, prepared: { plan, setup } }: StartedBy): StemEnvironment | undefined {
    if (this.#stems === undefined || setup.protocol.launched || !suitsStem(spec, plan)) return undefined;
    return this.#stems.take(this.#kind(spec, plan));
  }

  /** Boots an environment for one function alone, as fast as may be: stems that are to be booted give way. */
  #boot(
    id: string,
    { spec, prepared: { plan, setup, specialisation } }: StartedBy,
    variables: Record<string, string>,
  ): StemEnvironment {
    const { backend, clock, guestFolder, ids } = this.#options;
    const booted = this.#stems?.press();
    const { launched } = setup.protocol;
    const sandbox = sandboxOf(spec, plan, backend.paths(id, specialisation));
    const launcher = launcherView(backend.layout, guestFolder);
    return bootEnvironment({
      backend,
      clock,
      protocol: setup.protocol,
      runtimeApi: ids,
      // The function's variables are given to the process too, for those that act only there: NODE_OPTIONS, LD_*.
      sandbox: {
        id,
        ...sandbox,
        ...(setup.image === undefined ? {} : { root: specialisation.code }),
        ...(launched && setup.image === undefined
          ? {
              ...provided.command({ ...plan.view, command: "/bin/sh", guest: launcher.path }, spec.memoryMb),
              mounts:
                plan.runtime.family === "provided" ? sandbox.mounts : [...sandbox.mounts, ...launcher.mounts],
            }
          : {}),
        // Those of an image's function are for what the launcher starts alone: they could change the host's own tools.
        environment: setup.image === undefined ? variables : {},
      },
      ...(booted === undefined ? {} : { onBooted: booted, onGone: booted }),
    });
  }

  /** @throws AwsError InvalidRuntimeException, whose message tells what to install, where the host has no interpreter */
  async checkRuntime(spec: FunctionSpec): Promise<void> {
    await this.#plan(spec);
  }

  #plan(spec: FunctionSpec): Promise<BootPlan> {
    const { backend, discovery, parts, guestFolder } = this.#options;
    return bootPlan(spec, { discovery, parts, layout: backend.layout, guestFolder });
  }

  #kind(spec: FunctionSpec, plan: BootPlan): StemKind {
    const paths = this.#options.backend.paths("", { code: "", layers: undefined });
    return {
      key: `${plan.runtimeVersionArn} ${spec.memoryMb} ${spec.ephemeralStorageMb} ${spec.network ?? ""}`,
      sandbox: { ...sandboxOf(spec, plan, paths), environment: runtimeEnvironment(plan, paths) },
    };
  }
}

function sandboxOf(
  spec: FunctionSpec,
  plan: BootPlan,
  paths: GuestPaths,
): Omit<SandboxOptions, "id" | "environment"> {
  return {
    // A JVM cannot change its directory; the others do so once their function is there.
    ...(plan.runtime.family === "java" ? { cwd: paths.task } : {}),
    ...plan.language.command(plan.view, spec.memoryMb),
    mounts: plan.view.mounts,
    memoryMb: spec.memoryMb,
    ephemeralStorageMb: spec.ephemeralStorageMb,
    network: spec.network,
    prefetches: plan.language.prefetches,
  };
}

/** "aren't reserved and can be extended in your function configuration": a function may send its traces elsewhere. */
function ownDaemon({ AWS_XRAY_DAEMON_ADDRESS: own }: FunctionSpec["environment"]): Record<string, string> {
  return own === undefined ? {} : { AWS_XRAY_DAEMON_ADDRESS: own };
}

/** An object of the environment's own: what is found out about it is kept for as long as it is there. */
function writerOf({ account, name, arn, roleArn }: FunctionSpec): LogWriter {
  return { account, name, arn, roleArn };
}

/** Whether a function may run in a process that started without its variables. */
function suitsStem(spec: FunctionSpec, plan: BootPlan): boolean {
  if (plan.runtime.family === "provided") return false;
  const { language: family } = plan;
  return !Object.keys(spec.environment).some(
    (name) => name.startsWith("LD_") || name === "AWS_LAMBDA_EXEC_WRAPPER" || family.actsAtStart(name),
  );
}

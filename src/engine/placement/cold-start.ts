import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { CodeStore } from "../code/store.ts";
import type { CredentialSource, FunctionSpec, InitializationType, LogSink } from "../contract.ts";
import { bootEnvironment } from "../environment/environment.ts";
import type { EnvironmentView, InitResult } from "../environment/environment.ts";
import { EnvironmentLog } from "../environment/log.ts";
import { SystemLog } from "../invocation/system-log.ts";
import { bootPlan, functionEnvironment } from "../runtimes/boot.ts";
import type { BootPlan } from "../runtimes/boot.ts";
import type { RuntimeDiscovery } from "../runtimes/discover.ts";
import { language } from "../runtimes/languages.ts";
import type { RuntimeParts } from "../runtimes/parts.ts";
import type { SandboxBackend, Specialisation } from "../sandbox/contract.ts";

export interface ColdStartOptions {
  readonly backend: SandboxBackend;
  readonly code: CodeStore;
  readonly discovery: RuntimeDiscovery;
  readonly parts: RuntimeParts;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: LogSink;
  readonly credentials: CredentialSource;
  readonly endpointUrl: () => string;
  readonly guestFolder: string;
}

/** What must be there before an environment of a spec can start. */
export interface Prepared {
  readonly plan: BootPlan;
  readonly specialisation: Specialisation;
}

export interface StartedBy {
  readonly spec: FunctionSpec;
  readonly prepared: Prepared;
  /** Whether this is the init phase proper, or its repetition within an invocation after it failed. */
  readonly phase: "init" | "invoke";
  readonly initializationType: InitializationType;
  readonly initTimeoutMs: number;
  readonly tail: boolean;
  readonly onDeath: (environment: EnvironmentView) => void;
}

/** Makes environments from nothing. */
export class ColdStarter {
  readonly #options: ColdStartOptions;

  constructor(options: ColdStartOptions) {
    this.#options = options;
  }

  /** @throws AwsError where there is no interpreter or the code cannot be opened */
  async prepare(spec: FunctionSpec): Promise<Prepared> {
    const { code, discovery, parts, guestFolder } = this.#options;
    const { layout } = this.#options.backend;
    const [plan, unpacked, layers] = await Promise.all([
      bootPlan(spec, { discovery, parts, layout, guestFolder }),
      code.prepare(spec.code),
      code.prepareLayers(spec.layers),
    ]);
    return { plan, specialisation: { code: unpacked, layers } };
  }

  /** Starts an environment; `onInit` is called once, never before this has returned. */
  start(by: StartedBy, onInit: (result: InitResult, environment: EnvironmentView) => void): EnvironmentView {
    const { backend, clock, ids } = this.#options;
    const { spec, prepared, initializationType } = by;
    const { plan, specialisation } = prepared;
    const now = clock.now();
    const stem = this.#stem(by);
    const { id } = stem;
    const stream = `${new Date(now).toISOString().slice(0, 10).replaceAll("-", "/")}/[${spec.version}]${id}`;
    const log = new EnvironmentLog(this.#options.log, {
      account: spec.account,
      region: spec.region,
      group: spec.logging.group,
      stream,
    });
    const systemLog = new SystemLog(log, spec.logging, initializationType);
    if (by.phase === "init") systemLog.initStart(now, plan.runtimeVersion, plan.runtimeVersionArn);
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
    });
    const environment: EnvironmentView = stem.adopt({
      specId: spec.id,
      specialisation,
      log,
      initTimeoutMs: by.initTimeoutMs,
      init: JSON.stringify({
        handler: spec.handler,
        taskRoot: paths.task,
        environment: { ...variables, ...(backend.layout === "host" ? { TMPDIR: paths.tmp } : {}) },
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
      onDeath: by.onDeath,
      onInit: (result) => {
        if (result.kind === "ready") systemLog.initialised(clock.now(), result.initMs);
        else
          systemLog.initReport(
            clock.now(),
            by.phase,
            result.initMs,
            result.kind === "timeout" ? "timeout" : "error",
            result.kind === "timeout"
              ? undefined
              : result.kind === "error"
                ? result.errorType
                : "Runtime.ExitError",
          );
        onInit(result, environment);
      },
    });
    return environment;
  }
}

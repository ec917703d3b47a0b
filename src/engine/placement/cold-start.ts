import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { CodeStore } from "../code/store.ts";
import type { CredentialSource, FunctionSpec, LogSink } from "../contract.ts";
import { startEnvironment } from "../environment/environment.ts";
import type { EnvironmentView, InitResult } from "../environment/environment.ts";
import { EnvironmentLog } from "../environment/log.ts";
import { SystemLog } from "../invocation/system-log.ts";
import { bootCommand, bootPlan, functionEnvironment } from "../runtimes/boot.ts";
import type { BootPlan } from "../runtimes/boot.ts";
import type { RuntimeDiscovery } from "../runtimes/discover.ts";
import type { RuntimeParts } from "../runtimes/parts.ts";
import type { SandboxBackend } from "../sandbox/contract.ts";

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
  readonly taskRoot: string;
  readonly layerPaths: readonly string[];
}

export interface StartedBy {
  readonly spec: FunctionSpec;
  readonly prepared: Prepared;
  /** Whether this is the init phase proper, or its repetition within an invocation after it failed. */
  readonly phase: "init" | "invoke";
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
    const { code, discovery, parts } = this.#options;
    const [plan, taskRoot, ...layerPaths] = await Promise.all([
      bootPlan(spec, discovery, parts),
      code.prepare(spec.code),
      ...spec.layers.map((layer) => code.prepare(layer)),
    ]);
    return { plan, taskRoot, layerPaths };
  }

  /** Starts an environment; `onInit` is called once, never before this has returned. */
  start(by: StartedBy, onInit: (result: InitResult, environment: EnvironmentView) => void): EnvironmentView {
    const { backend, clock, ids } = this.#options;
    const { spec, prepared } = by;
    const { plan, taskRoot, layerPaths } = prepared;
    const now = clock.now();
    const id = ids.hex(32);
    const stream = `${new Date(now).toISOString().slice(0, 10).replaceAll("-", "/")}/[${spec.version}]${id}`;
    const log = new EnvironmentLog(this.#options.log, {
      account: spec.account,
      region: spec.region,
      group: spec.logging.group,
      stream,
    });
    const systemLog = new SystemLog(log, spec.logging);
    if (by.phase === "init") systemLog.initStart(now, plan.runtimeVersion, plan.runtimeVersionArn);
    // INIT_START stands in the log stream alone: Invoke's tail begins with what the function does.
    if (by.tail) log.keepTail();
    const variables = functionEnvironment({
      spec,
      plan,
      taskRoot,
      layerPaths,
      logStream: stream,
      credentials: this.#options.credentials.forFunction(spec),
      endpointUrl: this.#options.endpointUrl(),
    });
    const environment: EnvironmentView = startEnvironment({
      specId: spec.id,
      backend,
      clock,
      log,
      initTimeoutMs: by.initTimeoutMs,
      sandbox: {
        id,
        ...bootCommand(plan, this.#options.guestFolder, spec.memoryMb),
        cwd: taskRoot,
        // Given at the start of the process too, for what acts only there: NODE_OPTIONS, PYTHON*, LD_*.
        environment: variables,
        memoryMb: spec.memoryMb,
      },
      init: (tmp) =>
        JSON.stringify({
          handler: spec.handler,
          taskRoot,
          environment: { ...variables, TMPDIR: tmp },
          runtime: spec.runtime,
          functionName: spec.name,
          functionVersion: spec.version,
          memoryMb: spec.memoryMb,
          logGroup: spec.logging.group,
          logStream: stream,
          logFormat: spec.logging.format,
          applicationLogLevel: spec.logging.applicationLevel,
          initType: "on-demand",
          runtimePath: plan.runtimePath,
          layerPaths,
        }),
      onDeath: by.onDeath,
      onInit: (result) => {
        if (result.kind !== "ready")
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

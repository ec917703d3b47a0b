import type { FunctionSpec, InitializationType, LoggingSpec } from "../contract.ts";
import type { EnvironmentLog } from "../environment/log.ts";
import { tracingRecord } from "../environment/trace-context.ts";
import type { TraceContext } from "../environment/trace-context.ts";

export interface Report {
  readonly requestId: string;
  readonly tenantId: string | undefined;
  readonly durationMs: number;
  /** Init of a cold start; undefined where the environment was warm or its init is part of the duration. */
  readonly initMs: number | undefined;
  /**
   * Init of a provisioned environment that this invocation is the first of. AWS tells it in the same words, as its users
   * quote its logs, but it is no part of what this invocation is billed for.
   */
  readonly aheadInitMs?: number | undefined;
  /** Restoring the environment that this invocation is the first of. */
  readonly restoreMs?: number | undefined;
  readonly memoryMb: number;
  readonly usedMb: number;
  readonly status: "success" | "error" | "timeout";
  /** Named where the platform made the error. */
  readonly errorType: string | undefined;
  /** Of a traced invocation. */
  readonly trace?: TraceContext | undefined;
}

/** The environment that an init or a restore is of ("platform.initStart" of the Telemetry API's schema reference). */
export interface Instance {
  readonly functionName: string;
  readonly functionVersion: string;
  /** Its log stream. */
  readonly instanceId: string;
  /** In bytes. */
  readonly instanceMaxMemory: number;
}

/** @param logStream the environment's own */
export function instanceOf(
  { name, version, memoryMb }: Pick<FunctionSpec, "name" | "version" | "memoryMb">,
  logStream: string,
): Instance {
  return {
    functionName: name,
    functionVersion: version,
    instanceId: logStream,
    instanceMaxMemory: memoryMb * 1024 * 1024,
  };
}

/** The version of a managed runtime. */
export interface RuntimeVersion {
  readonly runtimeVersion: string;
  readonly runtimeVersionArn: string;
}

/** An extension as the log tells of it. */
export interface ExtensionLine {
  readonly name: string;
  readonly state: string;
  readonly events: readonly string[];
  /** It has asked for its first event. */
  readonly ready: boolean;
  /** Why it failed, where it has. */
  readonly errorType: string | undefined;
}

/** Since August 2025 a cold start's init is billed for every package type (AWS Compute Blog, "AWS Lambda standardizes billing for INIT Phase"). */
export function billedMs(durationMs: number, initMs: number | undefined, restoreMs = 0): number {
  return Math.max(1, Math.ceil(durationMs + (initMs ?? 0) + restoreMs));
}

const LEVELS = { DEBUG: 0, INFO: 1, WARN: 2 } as const;

/** The platform's own lines in a function's log, in the format that its logging configuration asks for. */
export class SystemLog {
  readonly #log: EnvironmentLog;
  readonly #json: boolean;
  readonly #level: number;
  readonly #initializationType: InitializationType;

  constructor(
    log: EnvironmentLog,
    logging: LoggingSpec,
    initializationType: InitializationType = "on-demand",
  ) {
    this.#initializationType = initializationType;
    this.#log = log;
    this.#json = logging.format === "JSON";
    this.#level = LEVELS[logging.systemLevel ?? "INFO"];
  }

  /** @param runtime undefined for an image, which has no version of a runtime to tell */
  initStart(
    time: number,
    phase: "init" | "invoke",
    instance: Instance,
    runtime: RuntimeVersion | undefined,
  ): void {
    const record = {
      initializationType: this.#initializationType,
      phase,
      ...versionOf(runtime),
      ...instance,
    };
    if (this.#log.observed) this.#log.platform(time, "initStart", record);
    // An init that is repeated within an invocation has its INIT_REPORT alone.
    if (phase === "invoke" || runtime === undefined) return;
    if (this.#json) return this.#event(time, LEVELS.INFO, "platform.initStart", record);
    const { runtimeVersion, runtimeVersionArn } = runtime;
    this.#log.write(
      time,
      `INIT_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}\n`,
    );
  }

  /**
   * Of an init that went well ahead of any invocation; otherwise REPORT tells of it (AWS Lambda Developer Guide,
   * "Lambda execution environment": provisioned concurrency functions always emit INIT_REPORT).
   */
  initialised(time: number, initMs: number): void {
    if (this.#initializationType === "on-demand") return;
    if (this.#json)
      this.#event(time, LEVELS.INFO, "platform.initReport", {
        initializationType: this.#initializationType,
        phase: "init",
        status: "success",
        metrics: { durationMs: round(initMs) },
      });
    else this.#log.write(time, `INIT_REPORT Init Duration: ${initMs.toFixed(2)} ms\n`);
  }

  /** Of an init that failed. */
  initReport(
    time: number,
    phase: "init" | "invoke",
    initMs: number,
    { status, errorType }: { readonly status: Report["status"]; readonly errorType?: string },
  ): void {
    if (this.#json)
      this.#event(time, LEVELS.WARN, "platform.initReport", {
        initializationType: this.#initializationType,
        phase,
        status,
        ...(errorType === undefined ? {} : { errorType }),
        metrics: { durationMs: round(initMs) },
      });
    else
      this.#log.write(
        time,
        `INIT_REPORT Init Duration: ${initMs.toFixed(2)} ms\tPhase: ${phase}\tStatus: ${status}${errorType === undefined ? "" : `\tError Type: ${errorType}`}\n`,
      );
  }

  /** What has become of an external or internal extension in the init phase. */
  extension(time: number, extension: ExtensionLine): void {
    const { name, events, ready, errorType } = extension;
    const state = ready && errorType === undefined ? "Ready" : extension.state;
    const record = { name, state, events, ...(errorType === undefined ? {} : { errorType }) };
    if (this.#log.observed) this.#log.platform(time, "extension", record);
    const level = errorType === undefined ? LEVELS.INFO : LEVELS.WARN;
    if (this.#json) return this.#event(time, level, "platform.extension", record);
    const error = errorType === undefined ? "" : `\tError Type: ${errorType}`;
    this.#log.write(
      time,
      `EXTENSION\tName: ${name}\tState: ${state}\tEvents: [${events.join(", ")}]${error}\n`,
    );
  }

  /** An extension has subscribed to the Logs or the Telemetry API. */
  subscribed(time: number, name: string, api: "Logs" | "Telemetry", types: readonly string[]): void {
    const type = api === "Logs" ? "logsSubscription" : "telemetrySubscription";
    const record = { name, state: "Subscribed", types };
    if (this.#log.observed) this.#log.platform(time, type, record);
    if (this.#json) return this.#event(time, LEVELS.INFO, `platform.${type}`, record);
    const named = types.map((each) => each.charAt(0).toUpperCase() + each.slice(1));
    this.#log.write(
      time,
      `${api.toUpperCase()}\tName: ${name}\tState: Subscribed\tTypes: [${named.join(", ")}]\n`,
    );
  }

  restoreStart(time: number, instance: Instance, runtime: RuntimeVersion): void {
    const { runtimeVersion, runtimeVersionArn } = runtime;
    const record = { runtimeVersion, runtimeVersionArn, ...instance };
    if (this.#log.observed) this.#log.platform(time, "restoreStart", record);
    if (this.#json) return this.#event(time, LEVELS.INFO, "platform.restoreStart", record);
    this.#log.write(
      time,
      `RESTORE_START Runtime Version: ${runtimeVersion}\tRuntime Version ARN: ${runtimeVersionArn}\n`,
    );
  }

  /** @param errorType undefined where all went well */
  restoreReport(time: number, restoreMs: number, status: Report["status"], errorType?: string): void {
    const error = errorType === undefined ? {} : { errorType };
    const record = { status, ...error, metrics: { durationMs: round(restoreMs) } };
    if (this.#log.observed) {
      this.#log.platform(time, "restoreRuntimeDone", { status, ...error });
      this.#log.platform(time, "restoreReport", record);
    }
    if (this.#json)
      return this.#event(
        time,
        status === "success" ? LEVELS.INFO : LEVELS.WARN,
        "platform.restoreReport",
        record,
      );
    const failure = errorType === undefined ? "" : `\tStatus: ${status}\tError Type: ${errorType}`;
    this.#log.write(time, `RESTORE_REPORT Restore Duration: ${restoreMs.toFixed(2)} ms${failure}\n`);
  }

  /** @param tenantId told in JSON alone, as the developer guide's "Monitoring Lambda functions with tenant isolation" has it */
  start(time: number, requestId: string, version: string, tenantId?: string, trace?: TraceContext): void {
    if (this.#log.observed)
      this.#log.platform(time, "start", startRecord(requestId, version, tenantId, trace));
    if (this.#json)
      this.#event(time, LEVELS.INFO, "platform.start", startRecord(requestId, version, tenantId, trace));
    else this.#log.write(time, `START RequestId: ${requestId} Version: ${version}\n`);
  }

  /** A time-out or the runtime's end, told between START and END. */
  failure(time: number, requestId: string, text: string, errorType: string): void {
    const line =
      errorType === "Sandbox.Timedout"
        ? `${new Date(time).toISOString()} ${requestId} ${text}
`
        : `RequestId: ${requestId} Error: ${text}
${errorType}`;
    if (this.#log.observed) this.#log.platform(time, "fault", { line: line.trimEnd() });
    if (!this.#json)
      this.#log.write(
        time,
        `${line}
`,
      );
  }

  /** END and REPORT. */
  report(time: number, report: Report): void {
    if (this.#log.observed) this.#log.platform(time, "report", reportRecord(report));
    if (this.#json) return this.#jsonReport(time, report);
    const { requestId, durationMs, initMs, restoreMs, errorType } = report;
    const billed = billedMs(durationMs, initMs, restoreMs);
    const toldInitMs = initMs ?? report.aheadInitMs;
    const init = toldInitMs === undefined ? "" : `Init Duration: ${toldInitMs.toFixed(2)} ms\t`;
    const restored =
      restoreMs === undefined
        ? ""
        : `Restore Duration: ${restoreMs.toFixed(2)} ms\tBilled Restore Duration: ${Math.ceil(restoreMs)} ms\t`;
    const status =
      errorType === undefined
        ? ""
        : report.status === "timeout"
          ? "Status: timeout\t"
          : `Status: error\tError Type: ${errorType}\t`;
    const traced =
      report.trace === undefined
        ? ""
        : `XRAY TraceId: ${report.trace.traceId}\tSegmentId: ${report.trace.segmentId}\tSampled: true\t\n`;
    this.#log.write(time, `END RequestId: ${requestId}\n`);
    this.#log.write(
      time,
      `REPORT RequestId: ${requestId}\tDuration: ${durationMs.toFixed(2)} ms\tBilled Duration: ${billed} ms\tMemory Size: ${report.memoryMb} MB\tMax Memory Used: ${report.usedMb} MB\t${init}${restored}${status}\n${traced}`,
    );
  }

  #jsonReport(time: number, report: Report): void {
    const { requestId, tenantId, errorType, durationMs } = report;
    // A runtime that tells of a function's error has done well: see `RuntimeEnd`.
    const status = errorType === undefined ? "success" : report.status;
    const doneLevel = status === "success" ? LEVELS.DEBUG : LEVELS.WARN;
    if (this.#level <= doneLevel)
      this.#event(time, doneLevel, "platform.runtimeDone", {
        ...(tenantId === undefined ? { requestId } : { requestId, tenantId }),
        status,
        ...(errorType === undefined || status === "timeout" ? {} : { errorType }),
        metrics: { durationMs: round(durationMs) },
        ...tracingRecord(report.trace),
      });
    const level = report.status === "success" ? LEVELS.INFO : LEVELS.WARN;
    this.#event(time, level, "platform.report", reportRecord(report));
  }

  #event(time: number, level: number, type: string, record: object): void {
    if (level < this.#level) return;
    this.#log.write(time, `${JSON.stringify({ time: new Date(time).toISOString(), type, record })}\n`);
  }
}

function versionOf(runtime: RuntimeVersion | undefined): Partial<RuntimeVersion> {
  if (runtime === undefined) return {};
  const { runtimeVersion, runtimeVersionArn } = runtime;
  return { runtimeVersion, runtimeVersionArn };
}

/** As AWS tells durations: to the microsecond. */
export function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

function startRecord(
  requestId: string,
  version: string,
  tenantId: string | undefined,
  trace: TraceContext | undefined,
): object {
  return {
    requestId,
    version,
    ...(tenantId === undefined ? {} : { tenantId }),
    ...tracingRecord(trace),
  };
}

/** The record of `platform.report`, in the log and in the Telemetry API. */
function reportRecord(report: Report): object {
  const { requestId, tenantId, durationMs, initMs, restoreMs, errorType } = report;
  const toldInitMs = initMs ?? report.aheadInitMs;
  return {
    ...(tenantId === undefined ? { requestId } : { requestId, tenantId }),
    metrics: {
      durationMs: round(durationMs),
      billedDurationMs: billedMs(durationMs, initMs, restoreMs),
      memorySizeMB: report.memoryMb,
      maxMemoryUsedMB: report.usedMb,
      ...(toldInitMs === undefined ? {} : { initDurationMs: round(toldInitMs) }),
      ...(restoreMs === undefined
        ? {}
        : { restoreDurationMs: round(restoreMs), billedRestoreDurationMs: Math.ceil(restoreMs) }),
    },
    status: report.status,
    ...(errorType === undefined ? {} : { errorType }),
    ...tracingRecord(report.trace),
  };
}

import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Clock } from "#core/clock";
import { AwsError } from "#core/errors";
import { Deployments } from "./code/deployments.ts";
import { FolderUse } from "./code/folder-use.ts";
import { Reclaimer } from "./code/reclaimer.ts";
import type { Reclaimed } from "./code/reclaimer.ts";
import { ImageStore } from "./code/images/store.ts";
import { CodeStore } from "./code/store.ts";
import { Admission } from "./concurrency/admission.ts";
import { ConcurrencyGate } from "./concurrency/gate.ts";
import { noMetrics, noUsage } from "./concurrency/meter.ts";
import { isThrottle, throttled } from "./concurrency/throttle.ts";
import type {
  CodePackage,
  Engine,
  EngineStatus,
  FunctionConcurrency,
  FunctionSpec,
  Invocation,
  InvocationResult,
  ProvisionedState,
} from "./contract.ts";
import type { EnvironmentView } from "./environment/contract.ts";
import { Execution } from "./invocation/execution.ts";
import type { ExecutionHost } from "./invocation/execution.ts";
import { shuttingDown } from "./invocation/service-exception.ts";
import { TraceIds } from "./invocation/trace.ts";
import { Tracer } from "./invocation/tracing.ts";
import type { EngineOptions } from "./options.ts";
import { ColdStarter } from "./placement/cold-start.ts";
import { OnDemand } from "./placement/on-demand.ts";
import { Provisioned } from "./placement/provisioned.ts";
import type { ProvisionedStart } from "./placement/provisioned.ts";
import { RuntimeDiscovery } from "./runtimes/discover.ts";
import type { RuntimeStatus } from "./runtimes/discover.ts";
import { RuntimeParts } from "./runtimes/parts.ts";
import type { Enforcement, SandboxBackend } from "./sandbox/contract.ts";
import { guarded } from "./sandbox/guard.ts";
import { processBackend } from "./sandbox/process/backend.ts";
import { Snapshots } from "./snapshots/snapshots.ts";

/** An engine with what its operator, rather than a service, asks it. */
export interface LocalEngine extends Engine {
  enforcement(): readonly Enforcement[];
  runtimes(): Promise<readonly RuntimeStatus[]>;
  /** Ends every environment that serves nothing, and the others once they are done: after everything was emptied. */
  retireAll(): void;
  /** @throws AwsError InvalidRuntimeException, whose message tells what to install, where this host cannot run the spec */
  checkRuntime(spec: FunctionSpec): Promise<void>;
}

/** Opens the engine over a data folder and clears away what a crash left in it. */
export async function createEngine(options: EngineOptions): Promise<LocalEngine> {
  const environments = join(options.folder, "environments");
  const backend = guarded(options.backend ?? processBackend({ folder: environments }));
  const use = new FolderUse(options.clock);
  const images = new ImageStore({
    use,
    folder: join(options.folder, "images"),
    blobs: options.blobs,
    ids: options.ids,
    imagesFolder: options.imagesFolder,
    unpack: options.unpackImage,
  });
  const code = new CodeStore({
    use,
    folder: join(options.folder, "code"),
    blobs: options.blobs,
    ids: options.ids,
    images,
    ...(options.unzip === undefined ? {} : { unzip: options.unzip }),
  });
  await Promise.all([code.clean(), images.clean(), backend.clean()]);
  return new ProcessEngine(options, backend, code, images, use);
}

class ProcessEngine implements LocalEngine, ExecutionHost {
  readonly clock: Clock;
  readonly #traceIds: TraceIds;
  readonly #tracer: Tracer | undefined;
  readonly #backend: SandboxBackend;
  readonly #code: CodeStore;
  readonly #images: ImageStore;
  readonly #deployments = new Deployments();
  readonly #reclaimer: Reclaimer;
  readonly #discovery: RuntimeDiscovery;
  readonly #starter: ColdStarter;
  readonly #gate: ConcurrencyGate;
  readonly #onDemand: OnDemand;
  readonly #provisioned: Provisioned;
  readonly #snapshots: Snapshots;
  #closing = false;
  /** The grace of `close` is over: nothing may start any more. */
  #ended = false;
  #drained: (() => void) | undefined;

  constructor(
    options: EngineOptions,
    backend: SandboxBackend,
    code: CodeStore,
    images: ImageStore,
    use: FolderUse,
  ) {
    this.clock = options.clock;
    const { clock, traces, usage = noUsage } = options;
    const ids = new TraceIds(clock, options.ids);
    this.#traceIds = ids;
    if (traces !== undefined)
      this.#tracer = new Tracer({ clock, ids, sink: traces, random: options.random ?? Math.random });
    this.#backend = backend;
    this.#code = code;
    this.#images = images;
    this.#reclaimer = new Reclaimer({
      clock: options.clock,
      use,
      deployments: this.#deployments,
      stores: [code, images],
      onGone: (folder) => backend.forget?.(folder),
    });
    const runtimes = join(options.folder, "runtimes");
    this.#discovery = new RuntimeDiscovery({
      folder: options.runtimesFolder ?? runtimes,
      path: options.path,
    });
    const parts = new RuntimeParts({
      folder: join(runtimes, "parts"),
      nodeModulesFolder: options.nodeModulesFolder,
      layout: backend.layout,
      guestFolder: options.guestFolder,
    });
    this.#starter = new ColdStarter({
      ...options,
      backend,
      code,
      images,
      parts,
      discovery: this.#discovery,
      use,
      maxStems: options.maxStems ?? 16,
    });
    this.#snapshots = new Snapshots({
      ...options,
      starter: this.#starter,
      max: options.maxSnapshots ?? 32,
    });
    const limit = options.concurrencyLimit ?? 1000;
    this.#gate = new ConcurrencyGate(limit, options.metrics ?? noMetrics, usage);
    this.#provisioned = new Provisioned({
      clock,
      usage,
      start: (by) => this.#startProvisioned(by),
      parallel: Math.max(2, availableParallelism()),
    });
    this.#onDemand = new OnDemand({
      clock: options.clock,
      starter: this.#starter,
      snapshots: this.#snapshots,
      maxEnvironments: options.maxEnvironments ?? limit,
      provisioned: () => this.#provisioned.size,
      idleMs: options.idleMs ?? 600_000,
      onRefused: (execution, error) => this.#refuse(execution, error),
    });
  }

  invoke(invocation: Invocation): Promise<InvocationResult> {
    const { spec } = invocation;
    if (this.#closing) return Promise.reject(shuttingDown());
    const now = this.clock.monotonic();
    const time = this.clock.now();
    const gate = this.#gate.of(spec, now);
    // Untraced, warm: this comparison is all that tracing costs.
    const trace =
      spec.tracing === "Active" || invocation.traceHeader !== undefined
        ? this.#tracer?.trace(invocation)
        : undefined;
    const resource = gate.meter.resource(invocation.invokedArn, spec.version);
    const shared = invocation.tenantId === undefined;
    const slot = shared ? this.#provisioned.slot(spec.id) : undefined;
    const ready = slot?.take();
    const throttle = gate.enter(ready !== undefined, now);
    if (throttle !== undefined) {
      if (slot !== undefined && ready !== undefined) this.#provisioned.park(slot, ready);
      resource.throttled(time);
      trace?.refused(429);
      return Promise.reject(throttled(throttle));
    }
    const provisioned = ready === undefined ? undefined : slot;
    const spilledOver = slot !== undefined && slot.want > 0 && ready === undefined;
    return new Promise((resolve, reject) => {
      const execution = new Execution(invocation, this, resolve, reject);
      execution.trace = trace;
      execution.admission = new Admission({ gate, resource, provisioned, spilledOver, time });
      if (ready !== undefined) {
        execution.aheadInitMs = slot?.tellInit(ready);
        execution.begin(ready);
      } else this.#onDemand.serve(execution);
    });
  }

  ended(execution: Execution, environment: EnvironmentView): void {
    const { admission } = execution;
    admission?.invoked(execution);
    if (admission?.provisioned === undefined) this.#onDemand.left(execution, environment);
    else {
      const idle = environment.idle();
      if (idle !== undefined) this.#provisioned.park(admission.provisioned, idle);
    }
    this.#left(execution);
  }

  returned(execution: Execution, environment: EnvironmentView): void {
    this.#onDemand.returned(execution, environment);
  }

  traceHeader(given: string | undefined): string {
    return this.#traceIds.untraced(given);
  }

  retire(specId: string): void {
    this.#onDemand.retire(specId);
    this.#provisioned.retire(specId);
    this.#snapshots.retire(specId);
  }

  retireAll(): void {
    this.#onDemand.retireAll();
    this.#provisioned.clear();
    this.#snapshots.clear();
    this.#gate.clear();
  }

  configureConcurrency(concurrency: FunctionConcurrency): void {
    this.#gate.configure(concurrency, this.clock.monotonic());
    this.#provisioned.configure(concurrency);
  }

  provisioned(functionArn: string, qualifier: string): ProvisionedState | undefined {
    return this.#provisioned.state(functionArn, qualifier);
  }

  checkRuntime(spec: FunctionSpec): Promise<void> {
    return this.#starter.checkRuntime(spec);
  }

  resolveImage(uri: string, architecture: FunctionSpec["architecture"]): Promise<CodePackage> {
    return this.deploy(() => this.#images.resolve(uri, architecture));
  }

  async prepare(code: CodePackage): Promise<void> {
    await this.deploy(() => this.#code.prepare(code));
  }

  deploy<T>(work: () => Promise<T>): Promise<T> {
    return this.#deployments.during(work);
  }

  reclaim(kept: ReadonlySet<string>): Promise<Reclaimed> {
    return this.#reclaimer.reclaim(kept);
  }

  unpackedBytes(code: CodePackage): Promise<number> {
    return this.#code.unpackedBytes(code);
  }

  anticipate(spec: FunctionSpec): void {
    // A runtime that this host lacks is told by the invocation that needs it.
    this.#starter.anticipate(spec).catch(() => undefined);
  }

  snapshot(spec: FunctionSpec): Promise<boolean> {
    return this.#snapshots.make(spec);
  }

  status(): EngineStatus {
    return {
      environments: this.#onDemand.size + this.#provisioned.size,
      busy: this.#onDemand.busy + this.#provisioned.busy,
      running: this.#gate.running,
    };
  }

  enforcement(): readonly Enforcement[] {
    return this.#backend.enforcement();
  }

  runtimes(): Promise<readonly RuntimeStatus[]> {
    return this.#discovery.list();
  }

  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    if (this.#gate.running > 0 && graceMs > 0)
      await new Promise<void>((resolve) => {
        const timer = this.clock.after(graceMs, resolve);
        this.#drained = () => {
          timer.cancel();
          resolve();
        };
      });
    this.#ended = true;
    await Promise.all([
      this.#onDemand.close(),
      this.#provisioned.close(),
      this.#snapshots.close(),
      this.#starter.close(),
    ]);
    await this.#backend.close();
  }

  /** Starts an environment that no invocation waits for. */
  async #startProvisioned(by: ProvisionedStart): Promise<void> {
    const prepared = await this.#starter.prepare(by.spec);
    if (this.#ended) throw shuttingDown();
    if (!this.#onDemand.makeRoom(this.#provisioned.size - 1))
      throw new Error("There is no room for more execution environments.");
    this.#starter.start(
      {
        spec: by.spec,
        prepared,
        phase: "init",
        initializationType: "provisioned-concurrency",
        tail: false,
        initTimeoutMs: by.initTimeoutMs,
        onDeath: by.onDeath,
      },
      by.onInit,
    );
  }

  /** Ends an invocation that no environment could be had for. */
  #refuse(execution: Execution, error: unknown): void {
    if (isThrottle(error)) execution.admission?.throttled();
    execution.trace?.refused(error instanceof AwsError ? error.status : 500);
    this.#left(execution);
    execution.reject(error as Error);
  }

  #left({ admission }: Execution): void {
    admission?.leave();
    if (this.#closing && this.#gate.running === 0) this.#drained?.();
  }
}

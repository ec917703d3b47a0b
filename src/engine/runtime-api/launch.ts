import type { Channel, ChannelListener, GuestEvent, Send } from "../environment/channel.ts";
import { asRecord } from "../environment/frame-channel.ts";
import { FRAME, FrameError, parseJson } from "../environment/frames.ts";

/** A process that the launcher starts. Paths are as the guest sees them. */
export interface LaunchedProcess {
  readonly argv: readonly string[];
  /** All that it sees. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What the launcher is to start, once the function's files are in place. */
export interface LaunchPlan {
  /** The executables of /opt/extensions, in the order of the names given to the Extensions API. */
  readonly extensions: readonly LaunchedProcess[];
  readonly runtime: LaunchedProcess;
  /** The runtime's working directory: LAMBDA_TASK_ROOT, or what an image says. */
  readonly cwd: string;
  /** The words of `env`, where it is not the one in the launcher's PATH. */
  readonly env?: readonly string[];
  /** A wrapper script that has to be there: AWS_LAMBDA_EXEC_WRAPPER, the runtime's own command being its arguments. */
  readonly wrapper: string | undefined;
  /** Why the runtime cannot be started at all. */
  readonly fault: { readonly errorType: string; readonly message: string } | undefined;
}

/** Quotes a word for a line of shell: a line break within it is written as the launcher's variable `NL`. */
export function shellWord(word: string): string {
  return `'${word.replaceAll("'", `'\\''`).replaceAll("\n", `'"$NL"'`)}'`;
}

function command({ argv, environment }: LaunchedProcess, env: LaunchPlan["env"]): string {
  const variables = Object.entries(environment).map(([name, value]) => shellWord(`${name}=${value}`));
  return [...(env?.map(shellWord) ?? ["env"]), "-i", ...variables, ...argv.map(shellWord)].join(" ");
}

/**
 * Speaks to guest/launcher/launch.sh, which starts extensions and runtime, and to the runtime behind it: `inner` for one
 * that speaks frames, undefined for one that speaks HTTP.
 */
export class LaunchedChannel implements Channel {
  readonly #listener: ChannelListener;
  readonly #send: Send;
  readonly #plan: () => LaunchPlan;
  readonly #inner: Channel | undefined;
  readonly #deliver: (event: GuestEvent) => void;
  #state: "booting" | "booted" | "extensions" | "runtime" = "booting";

  constructor(
    listener: ChannelListener,
    send: Send,
    plan: () => LaunchPlan,
    inner: Channel | undefined,
    deliver: (event: GuestEvent) => void,
  ) {
    this.#listener = listener;
    this.#send = send;
    this.#plan = plan;
    this.#inner = inner;
    this.#deliver = deliver;
  }

  initialise(): void {
    const { extensions, env } = this.#plan();
    this.#state = "extensions";
    if (extensions.length === 0) return this.startRuntime();
    this.#lines(extensions.map((process, index) => `extension ${index} ${command(process, env)}`));
  }

  /** Every extension has registered. Does nothing the second time. */
  startRuntime(): void {
    if (this.#state !== "extensions") return;
    this.#state = "runtime";
    const { extensions, runtime, wrapper, cwd, env } = this.#plan();
    const lines = [`cd ${shellWord(cwd)}`];
    if (wrapper !== undefined) {
      // The words and statuses of AWS's own bootstrap script.
      const path = shellWord(wrapper);
      lines.push(`[ -f ${path} ] || { echo ${path}': does not exist'; exit 127; }`);
      lines.push(`[ -x ${path} ] || { echo ${path}': is not an executable'; exit 126; }`);
    }
    const framed = this.#inner !== undefined;
    // Alone, the runtime takes the launcher's place, so that its end is told by the sandbox itself.
    if (extensions.length === 0) lines.push(`exec ${command(runtime, env)}${framed ? "" : " 3<&- 4>&-"}`);
    else lines.push(`${framed ? "framed_beside_extensions" : "beside_extensions"} ${command(runtime, env)}`);
    this.#lines(lines);
  }

  invoke(event: GuestEvent): void {
    if (this.#inner === undefined) this.#deliver(event);
    else this.#inner.invoke(event);
  }

  taken(bytes: number): void {
    this.#inner?.taken(bytes);
  }

  terminate(): void {
    if (this.#inner !== undefined) this.#inner.terminate();
    else if (this.#plan().extensions.length > 0 && this.#state === "runtime") this.#lines(["TERM"]);
  }

  frame(type: number, body: Buffer): void {
    if (type === FRAME.hello && this.#state === "booting") {
      this.#state = "booted";
      return this.#listener.booted();
    }
    if (type === FRAME.exit) return this.#processEnded(body);
    if (this.#inner === undefined || this.#state !== "runtime")
      throw new FrameError("malformed", `frame ${type} from the launcher`);
    // The runtime's own: its function has been there before it.
    if (type === FRAME.hello) return this.#inner.initialise();
    this.#inner.frame(type, body);
  }

  #processEnded(body: Buffer): void {
    if (body.length > 255) throw new FrameError("malformed", "an exit frame is too long");
    const { process, status } = asRecord(parseJson(body.toString("utf8")));
    if (!Number.isInteger(process) || !Number.isInteger(status))
      throw new FrameError("malformed", "an exit frame without process or status");
    this.#listener.processEnded((process as number) < 0 ? "runtime" : (process as number), status as number);
  }

  #lines(lines: readonly string[]): void {
    this.#send(Buffer.from(lines.map((line) => `${line}\n`).join("")));
  }
}

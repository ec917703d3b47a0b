import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

interface Job {
  readonly resolve: (output: string) => void;
  readonly reject: (error: Error) => void;
}

const END = "--thaw-job-end--";

/**
 * One long-lived `sh` that runs `ip` and `nft` for the platform: forking them from a Node.js process with a large heap
 * would hold its main thread for milliseconds each time. It lives in a mount namespace of its own, so what it mounts
 * (the named network namespaces) goes when it ends, and it ends when its standard input does: a platform that was
 * killed leaves no namespace behind.
 *
 * Scripts are made of the platform's own words only; nothing of a function or a request may reach one.
 */
export class Shell {
  /** In the platform's own process-id namespace. */
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #jobs: Job[] = [];
  #output = "";
  #errors = "/dev/null";
  #dead: Error | undefined;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    child.on("error", (error) => this.#die(error));
    child.on("exit", () => this.#die(new Error("the shell of the execution environments' networks ended")));
    child.stdin?.on("error", () => {
      // EPIPE; its exit tells.
    });
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => this.#read(chunk));
  }

  /** @param argv a program and arguments that end in running `sh` in a mount namespace that it may change */
  static async start(argv: readonly string[]): Promise<Shell> {
    const shell = await Shell.plain(argv);
    try {
      await shell.#send("mount -t tmpfs -o mode=0755 thaw /run 2>&1; s=$?");
      shell.#errors = "/run/errors";
      return shell;
    } catch (error) {
      await shell.close();
      throw error;
    }
  }

  /** One that only looks: it has no mounts of its own, and what its commands write to descriptor 2 is lost. */
  static async plain(argv: readonly string[]): Promise<Shell> {
    const [program = "sh", ...args] = argv;
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "ignore"],
      env: { PATH, LC_ALL: "C" },
      // A session of its own: Ctrl-C goes to the platform alone, which still needs it while invocations end.
      detached: true,
    });
    await once(child, "spawn");
    const shell = new Shell(child, child.pid ?? 0);
    return shell;
  }

  /** Runs a script to its first failing command, after those asked for before. @throws Error with what it wrote to descriptor 2 */
  run(script: string): Promise<string> {
    return this.#send(
      `(\nset -e\n${script}\n) </dev/null 2>${this.#errors}; s=$?; [ $s = 0 ] || cat ${this.#errors}`,
    );
  }

  /** @param line sets `s` to the status of the job */
  #send(line: string): Promise<string> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => {
      this.#jobs.push({ resolve, reject });
      this.#child.stdin?.write(`${line}; echo "${END}$s"\n`);
    });
  }

  async close(): Promise<void> {
    if (this.#dead !== undefined) return;
    const gone = once(this.#child, "exit");
    this.#child.stdin?.end();
    await gone;
  }

  #read(chunk: string): void {
    this.#output += chunk;
    for (;;) {
      const match = /--thaw-job-end--(\d+)\n/.exec(this.#output);
      if (match === null) return;
      const output = this.#output.slice(0, match.index);
      this.#output = this.#output.slice(match.index + match[0].length);
      const job = this.#jobs.shift();
      if (match[1] === "0") job?.resolve(output);
      else
        job?.reject(
          new Error(output.trim() || `a command of the network set-up failed with status ${match[1]}`),
        );
    }
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const job of this.#jobs.splice(0)) job.reject(error);
  }
}

/** `ip` and `nft` are in sbin, which an ordinary user's PATH lacks on Debian. */
export const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A here-document for a script; its text is passed on unexpanded. */
export function heredoc(command: string, text: string): string {
  return `${command} <<'THAW'\n${text}\nTHAW`;
}

/** Commands of `ip`; with `force` to the end, whatever fails. */
export function ipBatch(lines: readonly string[], force = false): string {
  return heredoc(`ip ${force ? "-force " : ""}-batch -`, lines.join("\n"));
}

/** Commands of `nft`, all or none of which come to pass. */
export function nftScript(text: string): string {
  return heredoc("nft -f -", text);
}

/** Path of a named network namespace as other processes see it, the shell's mounts being its own. */
export function namespacePath(shell: Shell, name: string | number): string {
  return `/proc/${shell.pid}/root/run/netns/${name}`;
}

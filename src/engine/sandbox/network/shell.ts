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

  /** @param argv a program and arguments that end in running `sh`, such as `["unshare", "--mount", "sh"]` */
  static async start(argv: readonly string[]): Promise<Shell> {
    const [program = "sh", ...args] = argv;
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"], env: { PATH, LC_ALL: "C" } });
    await once(child, "spawn");
    const shell = new Shell(child, child.pid ?? 0);
    child.unref();
    try {
      await shell.run("mount -t tmpfs -o mode=0755 thaw /run");
    } catch (error) {
      await shell.close();
      throw error;
    }
    return shell;
  }

  /** Runs a script to its first failing command, after those asked for before. @throws Error with what it wrote to descriptor 2 */
  run(script: string): Promise<string> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => {
      this.#jobs.push({ resolve, reject });
      this.#child.stdin?.write(
        `(\nset -e\n${script}\n) </dev/null 2>/run/errors; s=$?; [ $s = 0 ] || cat /run/errors; echo "${END}$s"\n`,
      );
    });
  }

  async close(): Promise<void> {
    if (this.#dead !== undefined) return;
    const gone = once(this.#child, "exit");
    this.#child.ref();
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

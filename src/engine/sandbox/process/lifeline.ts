import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/**
 * Keeps the numbers of process groups that standard input names, `+ 12` and `- 12` a line, and kills those that are left
 * when it ends, as it does when the platform dies in whatever way. Built-in commands only: it forks nothing.
 */
const SCRIPT = `
groups=" "
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done 2>/dev/null`;

/** A shell that ends the platform's guests when the platform itself can not: after SIGKILL, or a crash. */
export class Lifeline {
  #shell: ChildProcess | undefined;
  readonly #groups = new Set<number>();

  add(group: number): void {
    this.#groups.add(group);
    if (this.#shell === undefined) this.#start();
    else this.#write(`+ ${group}\n`);
  }

  remove(group: number): void {
    if (this.#groups.delete(group)) this.#write(`- ${group}\n`);
  }

  /** Call it once no guest is left. */
  close(): void {
    const shell = this.#shell;
    this.#shell = undefined;
    shell?.stdin?.end();
  }

  #start(): void {
    const shell = spawn("/bin/sh", ["-c", SCRIPT], {
      stdio: ["pipe", "ignore", "ignore"],
      // A session of its own: signals of the terminal, or for the platform's group, do not reach it.
      detached: true,
      env: {},
    });
    this.#shell = shell;
    shell.on("error", () => undefined);
    shell.stdin.on("error", () => undefined);
    shell.on("exit", () => {
      if (this.#shell === shell) this.#shell = undefined;
    });
    shell.unref();
    (shell.stdin as { unref?: () => void }).unref?.();
    for (const group of this.#groups) this.#write(`+ ${group}\n`);
  }

  #write(line: string): void {
    this.#shell?.stdin?.write(line);
  }
}

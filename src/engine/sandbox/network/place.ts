import { heredoc, type Shell } from "./shell.ts";

/** The network namespace that a bridge is in: the shell's own, which is the host's, or a named one. */
export class Place {
  readonly shell: Shell;
  /** Name under /run/netns, or undefined for the host's namespace. */
  readonly name: string | undefined;
  readonly #enter: string;

  constructor(shell: Shell, name: string | undefined) {
    this.shell = shell;
    this.name = name;
    this.#enter = name === undefined ? "" : `nsenter --net=/run/netns/${name} `;
  }

  /** Runs the lines of an `ip -batch`; with `force` to the end, whatever fails. */
  ip(lines: readonly string[], force = false): string {
    return heredoc(`${this.#enter}ip ${force ? "-force " : ""}-batch -`, lines.join("\n"));
  }

  nft(text: string): string {
    return heredoc(`${this.#enter}nft -f -`, text);
  }

  /** A whole script, run here. */
  script(text: string): string {
    return heredoc(`${this.#enter}sh -s`, `set -e\n${text}`);
  }

  run(script: string): Promise<string> {
    return this.shell.run(script);
  }
}

/** Path of a named namespace as other processes see it, the shell's mounts being its own. */
export function namespacePath(shell: Shell, name: string | number): string {
  return `/proc/${shell.pid}/root/run/netns/${name}`;
}

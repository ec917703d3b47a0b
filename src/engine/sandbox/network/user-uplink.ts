import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Enforcement } from "../contract.ts";
import type { Resolvers } from "./resolvers.ts";
import { PATH, type Shell } from "./shell.ts";
import type { Uplink } from "./uplink.ts";

/** Programs that carry a namespace's packets over an ordinary user's own sockets. */
export type UserStack = "pasta" | "slirp4netns";

export interface UserUplinkOptions {
  readonly stack: UserStack;
  /** In the namespace of the bridge. */
  readonly shell: Shell;
  readonly prefix: readonly string[];
  readonly ownUser: boolean;
  readonly resolvers: Resolvers;
}

/** They connect within 0.1 s; a host under heavy load is given more looks, of 0.1 s each. */
const PATIENCE = 100;

/** Answers name look-ups for environments by way of the host's resolver, wherever that listens. Never a real host's. */
const PASTA_DNS = "169.254.1.53";
const SLIRP_DNS = "10.0.2.3";

/**
 * Starts a program and ends it once standard input closes, as it does when the platform dies in whatever way. The end of
 * standard output tells that the program has ended.
 */
export const LIFELINE = `"$@" & pid=$!; exec >/dev/null 2>&1; read -r _; kill $pid; wait $pid`;

/**
 * One `pasta` or `slirp4netns` for all environments: it is connected to the bridge's namespace, not to theirs, so that
 * those that run reach the internet again once one that ended has been replaced.
 */
export class UserUplink implements Uplink {
  readonly resolvers: readonly string[];
  readonly #options: UserUplinkOptions;
  #child: ChildProcess | undefined;
  #running = false;
  /** While it is started or replaced. */
  #connecting: Promise<void> | undefined;
  #closed = false;

  constructor(options: UserUplinkOptions) {
    this.#options = options;
    const server = options.stack === "pasta" ? PASTA_DNS : SLIRP_DNS;
    this.resolvers = options.resolvers.any ? [server] : [];
  }

  async start(): Promise<void> {
    const { shell } = this.#options;
    await shell.run(`echo 1 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/ipv6/conf/all/forwarding ] || echo 1 >/proc/sys/net/ipv6/conf/all/forwarding`);
    await this.#connect();
  }

  /** Replaces a program that has ended. @throws Error where that fails; the next refresh tries again */
  async refresh(): Promise<void> {
    if (!this.#running && !this.#closed) await this.#connect();
  }

  enforcement(): readonly Enforcement[] {
    if (this.#running) return [];
    const how = `${this.#options.stack} has ended: no environment reaches the internet until it has been started anew, which is tried every 15 s`;
    return [{ limit: "network: reaching out", level: "not enforced", how }];
  }

  async close(): Promise<void> {
    this.#closed = true;
    // What is being started may be there only then.
    await this.#connecting?.catch(() => undefined);
    await this.#end();
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#connectAnew().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connectAnew(): Promise<void> {
    // Its shell waits for the platform, whatever became of the program.
    await this.#end();
    const said = await this.#spawn();
    try {
      for (let look = 1; !(await this.#connected()); look++)
        if (!this.#running || look === PATIENCE) throw new Error("no default route");
    } catch {
      await this.#end();
      throw new Error(`${this.#options.stack} did not connect: ${said().trim() || "no default route"}`);
    }
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.stdin?.end();
    await gone;
  }

  /** Waits a little for a way out: not for long, as a program that cannot connect ends at once. */
  async #connected(): Promise<boolean> {
    const answer = await this.#options.shell.run(`i=0
until ip route show default | grep -q .; do i=$((i + 1)); [ $i -lt 2 ] || exit 0; sleep 0.05; done
echo connected`);
    return answer.includes("connected");
  }

  async #spawn(): Promise<() => string> {
    const { stack, prefix } = this.#options;
    const [program = "sh", ...args] = [...prefix, "sh", "-c", LIFELINE, "sh", ...this.#command(stack)];
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: { PATH, LC_ALL: "C" } });
    let said = "";
    const keep = (chunk: string): void => {
      said = (said + chunk).slice(-2000);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    child.stdout.on("end", () => {
      if (this.#child === child || this.#child === undefined) this.#running = false;
    });
    child.stdin.on("error", () => {
      // EPIPE: it has ended.
    });
    await once(child, "spawn");
    this.#child = child;
    this.#running = true;
    return () => said;
  }

  /** Neither forwards a port of the host to environments, nor the gateway's address to the host's loopback. */
  #command(stack: UserStack): readonly string[] {
    const { shell, ownUser, resolvers } = this.#options;
    const namespace = `/proc/${shell.pid}/ns/net`;
    const user = `/proc/${shell.pid}/ns/user`;
    if (stack === "slirp4netns") {
      const owner = ownUser ? [`--userns-path=${user}`] : [];
      const fixed = ["--configure", "--mtu=1500", "--disable-host-loopback", "--netns-type=path"];
      return ["slirp4netns", ...fixed, ...owner, namespace, "uplink"];
    }
    const fixed = [
      "--foreground",
      "--quiet",
      "--stderr",
      "--config-net",
      "--ns-ifname",
      "uplink",
      "--no-map-gw",
    ];
    const ports = ["-t", "none", "-u", "none", "-T", "none", "-U", "none"];
    const dns = resolvers.any ? ["--dns-forward", PASTA_DNS] : [];
    const owner = ownUser ? ["--userns", user] : ["--netns-only"];
    return ["pasta", ...fixed, ...ports, ...dns, ...owner, "--netns", namespace];
  }
}

import { execFile, spawnSync } from "node:child_process";
import type { Server, Socket } from "node:net";
import { promisify } from "node:util";
import type { EnvironmentNetwork } from "#engine/sandbox/network/contract";
import { plant } from "#engine/sandbox/network/plant";
import { PATH, Shell } from "#engine/sandbox/network/shell";

const run = promisify(execFile);

/** Which of these programs are missing here, or root's rights; undefined where nothing is. */
export function lacking(...programs: readonly string[]): string | undefined {
  if (process.platform !== "linux") return "Linux";
  if (process.getuid?.() !== 0) return "root";
  const env = { PATH };
  const missing = programs.filter(
    (name) => spawnSync("sh", ["-c", `command -v ${name}`], { env }).status !== 0,
  );
  return missing.length > 0 ? missing.join(", ") : undefined;
}

/**
 * A host in a namespace of its own, joined to an outside that plays the internet and the local network: the real host's
 * network is never touched, and all of it goes when the shell does.
 *
 *     machine 198.51.100.2, 10.77.0.2 (loopback's own), 2001:db8:1::2 ── outside 198.51.100.1, 203.0.113.10, 10.9.9.9, …
 */
export class Machine {
  readonly shell: Shell;
  readonly #servers: Server[] = [];

  private constructor(shell: Shell) {
    this.shell = shell;
  }

  static async boot(): Promise<Machine> {
    const machine = new Machine(await Shell.start(["unshare", "--mount", "--net", "sh"]));
    // Every user may open the tunnel device, as on common distributions.
    await machine.shell.run(`if [ -e /dev/net/tun ]; then
  mknod /run/tun c 10 200
  chmod 666 /run/tun
  mount --bind /run/tun /dev/net/tun
fi
ip netns add machine
ip netns add outside
ip -n machine link set lo up
ip -n outside link set lo up
ip -n machine link add eth0 type veth peer name eth0 netns outside
ip -n machine link set eth0 up
ip -n outside link set eth0 up
ip -n machine addr add 198.51.100.2/24 dev eth0
ip -n machine addr add 2001:db8:1::2/64 dev eth0 nodad
ip -n machine addr add 172.31.0.2/32 dev lo
ip -n machine addr add 2001:db8:3::2/128 dev lo
ip -n machine route add default via 198.51.100.1
ip -n machine route add default via 2001:db8:1::1 dev eth0
ip -n outside addr add 198.51.100.1/24 dev eth0
ip -n outside addr add 2001:db8:1::1/64 dev eth0 nodad
for a in 203.0.113.10/32 10.9.9.9/32 100.64.0.9/32 169.254.169.254/32 2001:db8:2::10/128 fd99::9/128; do ip -n outside addr add $a dev lo; done`);
    return machine;
  }

  /** Runs a program in the machine, as its root or as an ordinary user. */
  prefix(user?: number): string[] {
    const as =
      user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--"];
    return [...this.enter("machine"), ...as];
  }

  enter(namespace: "machine" | "outside"): string[] {
    const process = `/proc/${this.shell.pid}`;
    return ["nsenter", `--mount=${process}/ns/mnt`, `--net=${process}/root/run/netns/${namespace}`, "--"];
  }

  /** A service of the machine or of the outside that greets whoever connects. */
  async serve(namespace: "machine" | "outside", address: string, port: number): Promise<void> {
    const server = await plant(this.enter(namespace), address, port);
    greet(server);
    this.#servers.push(server);
  }

  /** Everything of the host's network that a platform could have changed. */
  state(): Promise<string> {
    return this.shell.run(`n="nsenter --net=/run/netns/machine"
$n ip -o link show | sed 's/ state .*//; s/<[^>]*>//'
$n nft -t list ruleset
$n sh -c 'cd /proc/sys/net; cat ipv4/ip_forward ipv6/conf/all/forwarding; for i in ipv4/conf/*/forwarding ipv6/conf/*/force_forwarding; do [ ! -e $i ] || echo $i $(cat $i); done'`);
  }

  script(text: string): Promise<string> {
    return this.shell.run(`nsenter --net=/run/netns/machine sh -s <<'SCRIPT'\nset -e\n${text}\nSCRIPT`);
  }

  async shutDown(): Promise<void> {
    for (const server of this.#servers) server.close();
    await this.shell.close();
  }
}

export function greet(server: Server, seen?: (address: string) => void): void {
  server.on("connection", (socket) => {
    seen?.(socket.remoteAddress ?? "");
    socket.on("error", () => socket.destroy());
    socket.end("hello");
  });
}

/** All that comes over a connection. */
export async function hears(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
  return text;
}

const PROBE = `
const net = require("node:net");
const [patience, ...targets] = process.argv.slice(1);
const probe = (target) => new Promise((resolve) => {
  const [, host, port] = /^(.*):(\\d+)$/.exec(target);
  const socket = net.connect({ host, port: Number(port), family: 0 });
  const done = (word) => { clearTimeout(timer); socket.destroy(); resolve(word); };
  const timer = setTimeout(() => done("silence"), Number(patience));
  socket.on("data", (data) => done(String(data)));
  socket.on("error", (error) => done(error.code));
});
Promise.all(targets.map(probe)).then((words) => console.log(JSON.stringify(words)));
`;

/** What an environment hears at each `address:port`: `hello`, an error code, or `silence` for as long as patience lasts. */
export async function probe(
  network: Pick<EnvironmentNetwork, "enter">,
  targets: readonly string[],
  patienceMs = 10_000,
): Promise<Record<string, string>> {
  const [program = "", ...args] = [
    ...network.enter,
    process.execPath,
    "-e",
    PROBE,
    String(patienceMs),
    ...targets,
  ];
  const { stdout } = await run(program, args, { env: { PATH } });
  const words: unknown = JSON.parse(stdout);
  if (!Array.isArray(words)) throw new Error("the probe said nothing");
  return Object.fromEntries(targets.map((target, index) => [target, String(words[index])]));
}

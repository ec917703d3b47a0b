// What a function cannot reach: the host's own services, and other environments.
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { logged, until } from "../../lifecycle/support.ts";
import { behindWalls, needsPython } from "./walls.ts";

/** Where it hears anything; an attempt ends after a second at most, all together. */
const REACH = `
import socket, threading
heard = []
def reach(target):
    host, port = target
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as s:
            s.settimeout(1)
            s.connect((host, port))
            heard.append([host, port, s.recv(100).decode()])
    except OSError: pass
threads = [threading.Thread(target=reach, args=(t,)) for t in event["targets"]]
for t in threads: t.start()
for t in threads: t.join()
result = heard
`;

let servers: Server[] = [];
const ports: { any: number; loopback: number } = { any: 0, loopback: 0 };

beforeAll(async () => {
  const serve = (host: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        socket.on("error", () => socket.destroy());
        socket.end("the host");
      });
      servers.push(server);
      server.once("error", reject);
      server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
    });
  ports.any = await serve("0.0.0.0");
  ports.loopback = await serve("127.0.0.1");
});
afterAll(() => {
  for (const server of servers) server.close();
  servers = [];
});

behindWalls((world) => {
  it("reaches no service of the host's", async (context) => {
    needsPython(world(), context);
    await world().pythonFunction("caller");
    const platformHost = await world().run(
      "caller",
      `from urllib.parse import urlparse\nresult = urlparse(os.environ["AWS_ENDPOINT_URL"]).hostname if "AWS_ENDPOINT_URL" in os.environ else ""`,
    );
    const addresses = new Set([
      "127.0.0.1",
      "127.0.0.53",
      "0.0.0.0",
      "10.0.2.2",
      "172.17.0.1",
      "169.254.169.254",
      ...(typeof platformHost === "string" && platformHost !== "" ? [platformHost] : []),
      ...Object.values(networkInterfaces()).flatMap((each) =>
        (each ?? []).filter(({ family }) => family === "IPv4").map(({ address }) => address),
      ),
    ]);
    const own = Number(new URL(world().platform.url).port);
    const targets = [...addresses].flatMap((address) => [
      [address, ports.any],
      [address, ports.loopback],
      // The platform's own listener on the host's loopback is a service of the host's, too.
      ...(address === platformHost ? [] : [[address, own]]),
      [address, 22],
    ]);
    const { result } = await world().alongside(() => world().run("caller", REACH, { targets }));
    expect(result).toEqual([]);
  });

  it("reaches no other environment, by address or by the name of a socket", async (context) => {
    needsPython(world(), context);
    await world().pythonFunction("listener", { Timeout: 20 });
    await world().pythonFunction("prober", { Timeout: 20 });
    // Stays in its invocation until the prober has spoken to the platform's log; tells what came in, its own call with it.
    const listening = world().run(
      "listener",
      `
import socket, threading
server = socket.socket()
server.bind(("0.0.0.0", 7000))
server.listen()
abstract = socket.socket(socket.AF_UNIX)
abstract.bind("\\0thaw-escape")
abstract.listen()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    try:
        probe.connect(("169.254.100.1", 9))
        own = probe.getsockname()[0]
    except OSError: own = "127.0.0.1"
print("listening at", own, flush=True)
came = []
def serve(listener):
    while True:
        peer, address = listener.accept()
        came.append(str(address))
        peer.sendall(b"the other")
        peer.close()
for each in (server, abstract): threading.Thread(target=serve, args=(each,), daemon=True).start()
with socket.create_connection((own, 7000)) as s: assert s.recv(9) == b"the other"
import time
time.sleep(8)
result = [own, len(came)]`,
    );
    let address = "";
    await until(async () => {
      const log = (await logged(world().platform.url, "listener")).join("");
      address = /listening at (\S+)/.exec(log)?.[1] ?? "";
      expect(address).not.toBe("");
    });
    const heard = await world().run(
      "prober",
      `${REACH}
with socket.socket(socket.AF_UNIX) as s:
    try:
        s.connect("\\0thaw-escape")
        result.append("abstract")
    except OSError: pass`,
      { targets: [[address, 7000]] },
    );
    expect(heard).toEqual([]);
    expect(await listening).toEqual([address, 1]);
  });
});

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { MOST_CONNECTIONS } from "#engine/sandbox/process/loopback";
import { bubblewrapHost, processHost, startGuest } from "./support.ts";
import type { Guest, Host } from "./support.ts";

const use = await bubblewrapUsable();

describe.each([
  { name: "process", open: processHost, usable: process.platform === "linux" },
  { name: "bubblewrap", open: bubblewrapHost, usable: use.usable },
])("the Runtime API of $name", ({ open, usable }) => {
  describe.skipIf(!usable)("as its sandbox reaches it", () => {
    let host: Host;
    beforeAll(async () => {
      host = await open();
    });
    afterAll(() => host.close());

    it("answers over so many connections and no more, and another's over its own", async () => {
      const greedy = await startAsking(host, "greedy", MOST_CONNECTIONS + 10);
      await greedy.said("done");
      expect(answersIn(greedy)).toEqual(Array.from({ length: MOST_CONNECTIONS }, () => "greedy"));
      // All of its connections are still open.
      const other = await startAsking(host, "other", 2);
      await other.said("done");
      expect(answersIn(other)).toEqual(["other", "other"]);
      await Promise.all([greedy.sandbox.kill(), other.sandbox.kill()]);
    });

    it("is its own, whoever had its address before", async () => {
      const first = await startAsking(host, "first", 1);
      await first.said("done");
      await first.sandbox.kill();
      const { id, address } = await openApi(host, "second");
      const guest = startGuest(host, "", { id, command: "/bin/bash", args: ["-c", asks(address, 1)] });
      await guest.said("done");
      expect(answersIn(guest)).toEqual(["second"]);
      await guest.sandbox.kill();
    });

    it("takes each sandbox's datagrams as its own", async () => {
      const guests = await Promise.all(
        ["one", "two"].map(async (word) => {
          const api = await openApi(host, word);
          const guest = startGuest(host, "", {
            id: api.id,
            command: "/bin/bash",
            args: ["-c", `${sends(api.address, word)}; read forever <&3`],
          });
          await vi.waitFor(() => expect(api.datagrams).toContain(word), { timeout: 30_000 });
          return { api, guest };
        }),
      );
      for (const { api, guest } of guests) {
        expect(new Set(api.datagrams).size).toBe(1);
        await guest.sandbox.kill();
      }
    });
  });
});

/** A Runtime API that answers every request with one word. */
async function openApi(
  host: Host,
  word: string,
): Promise<{ id: string; address: string; datagrams: readonly string[] }> {
  const id = `${word}-${process.pid}`;
  const seen: string[] = [];
  const { address, datagrams } = await host.backend.openRuntimeApi(id, {
    onRequest: (_request, response) => response.end(`${word}\n`),
    onDatagram: (bytes) => seen.push(bytes.toString()),
  });
  expect(datagrams).toBe(true);
  return { id, address, datagrams: seen };
}

async function startAsking(host: Host, word: string, connections: number): Promise<Guest> {
  const { id, address } = await openApi(host, word);
  return startGuest(host, "", { id, command: "/bin/bash", args: ["-c", asks(address, connections)] });
}

/** Opens connections, then asks over each, tells what was answered, and keeps them open. */
function asks(address: string, connections: number): string {
  const target = `/dev/tcp/${address.replace(":", "/")}`;
  return `trap '' PIPE
fds=()
for i in $(seq ${connections}); do exec {fd}<>${target} && fds+=($fd); done
for fd in "\${fds[@]}"; do
  printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' >&$fd
  while IFS= read -r line <&$fd && [ "$line" != $'\\r' ]; do :; done
  read -r word <&$fd && echo "answer:$word" >&4
done 2>/dev/null
echo done >&4
read forever <&3`;
}

/** Goes on sending: a datagram may get lost. */
function sends(address: string, word: string): string {
  const target = `/dev/udp/${address.replace(":", "/")}`;
  return `(for i in $(seq 100); do printf ${word} >${target}; sleep 0.1; done) & :`;
}

function answersIn(guest: Guest): string[] {
  return [...guest.frames().matchAll(/^answer:(.*)$/gm)].map(([, word = ""]) => word);
}

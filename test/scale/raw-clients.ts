import { connect } from "node:net";
import type { SignedRequest } from "#cli/bench/signing";

function bytesOf({ method, path, headers, body }: SignedRequest): Buffer {
  const all = { ...headers, "content-length": String(Buffer.byteLength(body)) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

/**
 * Sends each request once over as many connections, each of which waits for one answer before it sends the next. It reads no
 * more of HTTP than an answer without a body has, so that the machine's cores are left to whom they measure.
 * @returns how many seconds it took, from the first byte that was sent
 * @throws Error where an answer is another than 202
 */
export async function sendRaw(
  url: string,
  requests: readonly SignedRequest[],
  connections: number,
): Promise<number> {
  const { hostname, port } = new URL(url);
  const ready = requests.map(bytesOf);
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, (_, client) => {
      const own = ready.filter((_bytes, index) => index % connections === client);
      return sendOne(Number(port), hostname, own);
    }),
  );
  return (performance.now() - began) / 1000;
}

function sendOne(port: number, host: string, requests: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true });
    let [sent, answer] = [0, ""];
    const next = (): void => {
      const bytes = requests[sent++];
      if (bytes === undefined) socket.end(resolve);
      else socket.write(bytes);
    };
    socket.setEncoding("latin1");
    socket.once("connect", next);
    socket.on("data", (text: string) => {
      answer += text;
      if (!answer.includes("\r\n\r\n")) return;
      if (!answer.startsWith("HTTP/1.1 202 ") || !answer.endsWith("\r\n\r\n")) {
        socket.destroy(new Error(`answered ${answer}`));
        return;
      }
      answer = "";
      next();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`cut off after ${sent} of ${requests.length}`)));
  });
}

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { OperatorError } from "#core/errors";
import { rootPrincipal } from "#core/principal";
import type { SamplingOperation } from "#engine/contract";
import type { HttpRequest, HttpResponse } from "#server/listener";
import { listen } from "#server/listener";
import { documentIn } from "#telemetry/daemon-datagram";
import { createTraceSink } from "#telemetry/trace-sink";
import { putSegments } from "./segments.ts";
import type { Shared } from "./shared.ts";
import { askSampling } from "./traces.ts";

const OPERATIONS: Readonly<Record<string, SamplingOperation>> = {
  "/GetSamplingRules": "GetSamplingRules",
  "/SamplingTargets": "GetSamplingTargets",
};

/** Statistics of 25 rules are a few kB. */
const MOST_BODY = 64 * 1024;

/** Who is named as the owner of segments that programs of this machine send. */
const OWNER = { name: "--xray-daemon", roleArn: "" } as const;

export interface HostDaemon {
  close(): Promise<void>;
}

/**
 * X-Ray's daemon for programs of this machine that are no functions: segments by UDP, and what sampling asks for by TCP. As
 * AWS's own daemon, it asks nobody for credentials and has its own: the root's, which is why it listens on loopback alone.
 * @throws OperatorError where the address is in use or may not be bound
 */
export async function openHostDaemon(
  shared: Shared,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<HostDaemon> {
  const { config, clock, log } = shared;
  const by = { principal: rootPrincipal(config.account), region: config.region };
  const sink = createTraceSink({
    clock,
    send: (_owner, documents) => putSegments(shared, documents, by),
    onDropped(segments, _owner, error) {
      shared.drops.add("segments", segments);
      log.warn({ segments, ...(error === undefined ? {} : { err: error }) }, "dropped segments of traces");
    },
  });

  async function answer(request: HttpRequest): Promise<HttpResponse> {
    const operation = request.method === "POST" ? OPERATIONS[request.path] : undefined;
    // Web pages may send a POST; they cannot do so without saying where they are from.
    if (operation === undefined || request.headers["origin"] !== undefined)
      return { status: 404, headers: {}, body: undefined };
    const { status, body } = await askSampling(shared, operation, request.body as Buffer, by);
    return { status, headers: { "content-type": "application/json" }, body };
  }

  const listener = await listen({
    host,
    port,
    maxBodyBytes: MOST_BODY,
    handle: answer,
    onError: (error) => log.error(error, "X-Ray's daemon"),
  });
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    socket.bind(Number(new URL(listener.url).port), host);
    await once(socket, "listening");
  } catch (error) {
    socket.close();
    await listener.close();
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new OperatorError(`X-Ray's daemon cannot take datagrams on ${host}:${port}: ${reason}`);
  }
  socket.on("error", (error) => log.error(error, "X-Ray's daemon"));
  socket.on("message", (bytes) => {
    const document = documentIn(bytes);
    if (document !== undefined)
      sink.write({ account: config.account, region: config.region, ...OWNER }, document);
    else log.debug("a datagram to X-Ray's daemon is no segment");
  });
  return {
    async close() {
      socket.close();
      await Promise.all([listener.close(), sink.close()]);
    },
  };
}

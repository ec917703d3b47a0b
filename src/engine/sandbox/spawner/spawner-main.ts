// The spawner's own program: a small process, in a mount namespace of its own, that makes and ends guests.
import { runHere } from "../disk/run.ts";
import { Guests } from "./guests.ts";
import { parseRequest } from "./protocol.ts";
import type { Report, Request } from "./protocol.ts";
import { Stage } from "./stage.ts";

let stage: Stage | undefined;
const guests = new Guests((report, socket) => {
  if (process.connected) process.send?.(report, socket, {}, () => undefined);
});

function tell(report: Report): void {
  if (process.connected) process.send?.(report, undefined, {}, () => undefined);
}

process.on("message", (message) => {
  const request = parseRequest(message);
  switch (request.kind) {
    case "start":
      return guests.start(request);
    case "go":
      return guests.go(request.id);
    case "kill":
      return guests.kill(request.id);
    default:
      return void work(request).then(
        (output) => tell({ kind: "done", seq: request.seq, output }),
        (error: unknown) =>
          tell({
            kind: "failed",
            seq: request.seq,
            message: error instanceof Error ? error.message : String(error),
          }),
      );
  }
});

// The platform has ended, in whatever way. Mounts go with the last process of this namespace.
let over = false;
const end = (): void => {
  if (over) return;
  over = true;
  void guests.killAll().finally(() => process.exit(0));
};
process.on("disconnect", end);
// Node.js 20 keeps "disconnect" to itself for ever where a socket had been sent and was not yet acknowledged: seen after a
// SIGKILL of a platform that was starting guests, all of which stayed. Nothing is ever written to descriptor 0.
process.stdin.once("close", end).on("error", end).resume();
// Ctrl-C goes to the whole group of the terminal; the platform decides when guests end.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

tell({ kind: "ready" });

async function work(request: Exclude<Request, { kind: "start" | "go" | "kill" }>): Promise<string> {
  switch (request.kind) {
    case "open":
      stage = new Stage(request.folder, request.stage, runHere);
      await stage.open();
      return "";
    case "bind":
      await opened().bindTree(request.id, request.tree, request.at);
      return "";
    case "remove":
      await opened().remove(request.id);
      return "";
    case "stage":
      return opened().stage(request.source);
    case "unstage":
      await opened().unstage(request.source);
      return "";
    case "run":
      return runHere(request.argv);
    default:
      throw new Error("not a request");
  }
}

function opened(): Stage {
  if (stage === undefined) throw new Error("the spawner has not been opened");
  return stage;
}

/** What the platform asks of the spawner; plain data over Node's channel between a process and its child. */
export type Request =
  /** First of all. `folder` is on disk and holds the environments' folders and scratch disks. */
  | { readonly kind: "open"; readonly seq: number; readonly folder: string; readonly stage: string }
  | ({ readonly kind: "start" } & GuestStart)
  /** The process waits, in its control group, and may execute the guest now. */
  | { readonly kind: "go"; readonly id: string }
  | { readonly kind: "kill"; readonly id: string }
  /** Nothing of it runs any more: its mounts and folders are removed. */
  | { readonly kind: "remove"; readonly seq: number; readonly id: string }
  | {
      /** Binds a tree on a folder of an environment that running sandboxes have bound, read-only. */
      readonly kind: "bind";
      readonly seq: number;
      readonly id: string;
      readonly tree: string;
      readonly at: "task" | "opt";
    }
  /** Makes a file or folder of the host readable, by a path that every guest's user may walk. */
  | { readonly kind: "stage" | "unstage"; readonly seq: number; readonly source: string }
  | { readonly kind: "run"; readonly seq: number; readonly argv: readonly string[] };

export interface GuestStart {
  readonly id: string;
  /** The command; descriptors 5 and 6 are bubblewrap's `--info-fd` and `--block-fd`, 7 is `inherit` opened for reading. */
  readonly argv: readonly string[];
  readonly inherit: string | undefined;
  /** Read by the command from descriptor 8, each ended by NUL (`--args`): a command line can be seen by every user of the host. */
  readonly secret: readonly string[];
  /** The guest's descriptor 9, opened for reading; see `makeRecalls`. */
  readonly recalls: string | undefined;
  /** A directory that becomes `uid`'s own before the guest starts. */
  readonly own: { readonly path: string; readonly uid: number } | undefined;
}

/** What the spawner tells. `stream` comes with the socket of the guest's descriptor of that number. */
export type Report =
  | { readonly kind: "ready" }
  | { readonly kind: "done"; readonly seq: number; readonly output: string }
  | { readonly kind: "failed"; readonly seq: number; readonly message: string }
  | { readonly kind: "stream"; readonly id: string; readonly descriptor: 1 | 2 | 3 | 4 }
  /** The number of the guest's first process, which waits for `go`. */
  | { readonly kind: "child"; readonly id: string; readonly pid: number }
  /** The command has ended, and every process of its process-id namespace. */
  | {
      readonly kind: "exit";
      readonly id: string;
      readonly status: number | undefined;
      readonly signal: string | undefined;
      readonly error: string | undefined;
    };

const ID = /^[a-zA-Z0-9_-]{1,64}$/;

/** @throws Error for anything but a request; what is checked here becomes paths and commands of a privileged process */
export function parseRequest(value: unknown): Request {
  const request = record(value);
  switch (request["kind"]) {
    case "open":
      return {
        kind: "open",
        seq: seq(request),
        folder: path(request["folder"]),
        stage: path(request["stage"]),
      };
    case "start": {
      const { own, inherit, recalls } = request;
      return {
        kind: "start",
        id: id(request),
        argv: strings(request["argv"]),
        inherit: inherit === undefined ? undefined : path(inherit),
        secret: strings(request["secret"]),
        recalls: recalls === undefined ? undefined : path(recalls),
        own: own === undefined ? undefined : owned(record(own)),
      };
    }
    case "go":
    case "kill":
      return { kind: request["kind"], id: id(request) };
    case "remove":
      return { kind: "remove", seq: seq(request), id: id(request) };
    case "bind": {
      const { at } = request;
      if (at !== "task" && at !== "opt") throw new Error("not a folder of an environment");
      return { kind: "bind", seq: seq(request), id: id(request), tree: path(request["tree"]), at };
    }
    case "stage":
    case "unstage":
      return { kind: request["kind"], seq: seq(request), source: path(request["source"]) };
    case "run":
      return { kind: "run", seq: seq(request), argv: strings(request["argv"]) };
    default:
      throw new Error(`the spawner knows no request ${String(request["kind"])}`);
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new Error("not a request");
  return value as Readonly<Record<string, unknown>>;
}

function id(request: Readonly<Record<string, unknown>>): string {
  const value = request["id"];
  if (typeof value !== "string" || !ID.test(value)) throw new Error("not an environment's id");
  return value;
}

function seq(request: Readonly<Record<string, unknown>>): number {
  const value = request["seq"];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new Error("not a number of a request");
  return value;
}

function path(value: unknown): string {
  if (typeof value !== "string" || !value.startsWith("/") || value.includes("\0"))
    throw new Error("not a path");
  return value;
}

function strings(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) throw new Error("not a command");
  return value.map((part) => {
    if (typeof part !== "string" || part.includes("\0")) throw new Error("not a command");
    return part;
  });
}

function owned(value: Readonly<Record<string, unknown>>): { path: string; uid: number } {
  const { uid } = value;
  if (typeof uid !== "number" || !Number.isInteger(uid) || uid < 1) throw new Error("not a user");
  return { path: path(value["path"]), uid };
}

import type { Run } from "./contract.ts";

/** Programs that mount side by side, and how many images each takes: what comes while they are busy goes together. */
const LANES = 2;
const BATCH = 8;

/**
 * For each `template file mountpoint` a line: nothing, or what went wrong. Direct I/O passes by the page cache of the
 * image, which would hold everything a second time; not every file system can. A device in use is detached only by the
 * unmount, whoever does that: a crash leaves none behind.
 */
const SCRIPT = `
one() {
  cp --sparse=always --reflink=auto "$1" "$2" || return 1
  device=$(losetup --find --show --direct-io=on "$2" 2>/dev/null) || device=$(losetup --find --show "$2") || return 1
  mount -t ext4 -o nosuid,nodev,noatime,noinit_itable "$device" "$3"
  status=$?
  losetup -d "$device" || return 1
  return $status
}
while [ $# -gt 0 ]; do
  if error=$(one "$1" "$2" "$3" 2>&1); then echo; else echo "\${error:-mount failed}" | tr '\\n' ' '; echo; fi
  shift 3
done`;

export interface MountJob {
  /** Copied to `file`. */
  readonly template: string;
  readonly file: string;
  /** An empty folder. */
  readonly path: string;
}

interface Waiting extends MountJob {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Makes and mounts images, several by one program: started one by one, programs cost more than what they do. */
export class Mounter {
  readonly #run: Run;
  readonly #waiting: Waiting[] = [];
  #busy = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** @throws Error with what `cp`, `losetup` or `mount` said; nothing is mounted or attached then, but a file may be left */
  mount(job: MountJob): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...job, resolve, reject });
      // A turn later, so that those asked for at once go together.
      queueMicrotask(() => this.#next());
    });
  }

  #next(): void {
    if (this.#busy === LANES || this.#waiting.length === 0) return;
    this.#busy++;
    const jobs = this.#waiting.splice(0, BATCH);
    void this.#all(jobs).finally(() => {
      this.#busy--;
      this.#next();
    });
  }

  async #all(jobs: readonly Waiting[]): Promise<void> {
    try {
      const triples = jobs.flatMap(({ template, file, path }) => [template, file, path]);
      const lines = (await this.#run(["sh", "-c", SCRIPT, "sh", ...triples])).split("\n");
      for (const [at, job] of jobs.entries()) {
        const line = lines[at];
        if (line === "") job.resolve();
        else job.reject(new Error(line?.trim() ?? "not mounted"));
      }
    } catch (error) {
      for (const job of jobs) job.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

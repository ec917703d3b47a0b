import type { Command } from "./command.ts";
import { bench } from "./commands/bench.ts";
import { cost } from "./commands/cost/cost.ts";
import { demo } from "./commands/demo/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { env } from "./commands/env.ts";
import { iam } from "./commands/iam/iam.ts";
import { invoke } from "./commands/invoke.ts";
import { logs } from "./commands/logs/logs.ts";
import { metrics } from "./commands/metrics.ts";
import { outbox } from "./commands/outbox.ts";
import { runtimes } from "./commands/runtimes.ts";
import { test } from "./commands/test.ts";
import { trace } from "./commands/traces/trace.ts";
import { traces } from "./commands/traces/traces.ts";
import { why } from "./commands/traces/why.ts";
import { up } from "./commands/up.ts";
import { version } from "./commands/version.ts";

/** Every command, in the order of --help. */
export const commands: readonly Command[] = [
  up,
  demo,
  doctor,
  env,
  invoke,
  logs,
  metrics,
  traces,
  trace,
  why,
  cost,
  outbox,
  iam,
  runtimes,
  bench,
  test,
  version,
];

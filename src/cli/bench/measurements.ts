import { deploy } from "../commands/demo/deploy.ts";
import { readExamples, zipExample, type Example } from "../commands/demo/examples.ts";
import { join } from "node:path";
import { type Endpoint, lambdaClient } from "../aws.ts";
import { latencies, throughput } from "./load.ts";
import { signInvoke, type SignedRequest } from "./signing.ts";
import {
  coldStarts,
  environmentMemory,
  type FreshFunctions,
  type Interpreter,
  parallelStarts,
} from "./cold-starts.ts";
import { atLeast, atMost, type Figure, told } from "./figures.ts";
import { quantile, spreadOf } from "./statistics.ts";
import { proportionalSetSize, startBare, startThaw, type Subject } from "./subjects.ts";
import { warmThroughput } from "./warm-load.ts";

export interface BenchPlan {
  readonly rounds: number;
  /** Load before the first round counts: until the compilers of both sides have seen the hot paths. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly requests: number;
  readonly coldStarts: number;
  readonly parallel: number;
}

export const fullPlan: BenchPlan = {
  rounds: 5,
  warmUpSeconds: 6,
  seconds: 4,
  requests: 2000,
  coldStarts: 20,
  parallel: 50,
};
export const quickPlan: BenchPlan = {
  rounds: 2,
  warmUpSeconds: 3,
  seconds: 2,
  requests: 500,
  coldStarts: 5,
  parallel: 20,
};

export interface Runtime {
  readonly name: string;
  readonly path: string;
}

export interface BenchInput {
  readonly home: string;
  readonly node: Runtime;
  readonly python: Runtime | undefined;
  readonly plan: BenchPlan;
  readonly progress: (line: string) => void;
}

/** Runs every measurement against servers that it starts and ends itself. */
export async function measure(input: BenchInput): Promise<Figure[]> {
  const examples = await readExamples(join(input.home, "examples", "guide"));
  const bench = new Bench(input, examples);
  const figures: Figure[] = [];
  for (const [what, run] of bench.measurements()) {
    input.progress(`measuring ${what}…`);
    figures.push(...(await run()));
  }
  return figures;
}

class Bench {
  readonly #input: BenchInput;
  readonly #examples: readonly Example[];

  constructor(input: BenchInput, examples: readonly Example[]) {
    this.#input = input;
    this.#examples = examples;
  }

  *measurements(): Generator<readonly [string, () => Promise<Figure[]>]> {
    yield ["boot and idle memory", () => this.#boot()];
    yield ["warm throughput", () => this.#withBoth((bare, thaw) => this.#throughput(bare, thaw))];
    yield ["warm latency", () => this.#withBoth((bare, thaw) => this.#latency(bare, thaw))];
    yield ["asynchronous invokes", () => this.#withBoth((bare, thaw) => this.#asynchronous(bare, thaw))];
    const { node, python, plan } = this.#input;
    const interpreters: Interpreter[] = [
      { language: "nodejs", path: node.path },
      ...(python === undefined ? [] : [{ language: "python" as const, path: python.path }]),
    ];
    for (const each of interpreters) {
      const { language } = each;
      yield [
        `cold starts, ${language}`,
        () => this.#withThaw((thaw) => coldStarts(thaw, this.#fresh(thaw), each, plan.coldStarts)),
      ];
      yield [
        `parallel first invokes, ${language}`,
        () => this.#withThaw((thaw) => parallelStarts(thaw, this.#fresh(thaw), each, plan.parallel)),
      ];
    }
    yield [
      "memory of idle environments",
      () => this.#withThaw((thaw) => environmentMemory(thaw, this.#fresh(thaw), 20)),
    ];
  }

  async #boot(): Promise<Figure[]> {
    const times: number[] = [];
    const memory: number[] = [];
    for (let round = 0; round < this.#input.plan.rounds; round++) {
      const thaw = await startThaw(this.#input.home);
      times.push(thaw.readyMs / 1000);
      await this.#deploy(thaw, this.#example("nodejs"), "memory");
      memory.push(((await proportionalSetSize(thaw.pid)) ?? 0) / 1e6);
      await thaw.stop();
    }
    return [
      atMost("boot to ready, empty data folder", spreadOf(times), "s", 0.5),
      atMost("memory of the platform after first requests", spreadOf(memory), "MB", 130),
    ];
  }

  async #throughput(bare: Subject, thaw: Subject): Promise<Figure[]> {
    const requests = await this.#warmRequests(thaw, 1000);
    await this.#warmUp(bare, thaw, requests, 16);
    return warmThroughput(bare, thaw, requests, this.#input.plan);
  }

  async #warmUp(
    bare: Subject,
    thaw: Subject,
    requests: readonly SignedRequest[],
    connections: number,
  ): Promise<void> {
    await throughput(bare.url, requests, connections, 1);
    await throughput(thaw.url, requests, connections, this.#input.plan.warmUpSeconds);
  }

  async #latency(bare: Subject, thaw: Subject): Promise<Figure[]> {
    const { rounds, requests: count } = this.#input.plan;
    const requests = await this.#warmRequests(thaw, count);
    const [p50, p99]: [number[], number[]] = [[], []];
    for (let round = -1; round < rounds; round++) {
      const yardstick = await latencies(bare.url, requests);
      const ours = await latencies(thaw.url, requests);
      if (round < 0) continue;
      p50.push(quantile(ours, 0.5) - quantile(yardstick, 0.5));
      p99.push(quantile(ours, 0.99) - quantile(yardstick, 0.99));
    }
    return [
      atMost("warm latency over bare node:http, 1 connection, p50", spreadOf(p50), "ms", 0.25),
      atMost("warm latency over bare node:http, 1 connection, p99", spreadOf(p99), "ms", 2),
    ];
  }

  /** The events run meanwhile: what is measured is that this does not starve their acceptance. */
  async #asynchronous(bare: Subject, thaw: Subject): Promise<Figure[]> {
    const { rounds, seconds } = this.#input.plan;
    const endpoint = this.#endpoint(thaw);
    await this.#deploy(thaw, this.#example("nodejs"), "async");
    const requests = await Promise.all(
      Array.from({ length: 1000 }, (_, number) => signInvoke(endpoint, "async", number, "Event")),
    );
    await this.#warmUp(bare, thaw, requests, 32);
    const [rates, ratios]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const yardstick = await throughput(bare.url, requests, 32, seconds);
      const ours = await throughput(thaw.url, requests, 32, seconds);
      rates.push(ours.rate);
      ratios.push(ours.rate / yardstick.rate);
    }
    return [
      atLeast("asynchronous invokes accepted durably, 32 connections", spreadOf(rates), "requests/s", 5000),
      told("asynchronous invokes accepted durably, of bare node:http", spreadOf(ratios), "×"),
    ];
  }

  #fresh(thaw: Subject): FreshFunctions {
    return {
      deploy: (name, language, variables) =>
        this.#deploy(thaw, this.#example(language), name, 128, variables),
      sign: (name, number) => signInvoke(this.#endpoint(thaw), name, number),
    };
  }

  async #warmRequests(thaw: Subject, count: number): Promise<SignedRequest[]> {
    await this.#deploy(thaw, this.#example("nodejs"), "warm", 1769);
    const endpoint = this.#endpoint(thaw);
    return Promise.all(Array.from({ length: count }, (_, number) => signInvoke(endpoint, "warm", number)));
  }

  #example(language: "nodejs" | "python"): Example {
    const found = this.#examples.find(
      (example) => example.language === language && example.fails === undefined,
    );
    if (found === undefined) throw new Error(`no ${language} example`);
    return found;
  }

  #endpoint(subject: Subject): Endpoint {
    return {
      endpoint: subject.url,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    };
  }

  async #deploy(
    thaw: Subject,
    example: Example,
    name: string,
    memory = 128,
    variables?: Readonly<Record<string, string>>,
  ): Promise<void> {
    const client = await lambdaClient(this.#endpoint(thaw));
    const runtime = example.language === "nodejs" ? this.#input.node : this.#input.python;
    const role = "arn:aws:iam::000000000000:role/thaw-basic-execution";
    await deploy(
      client,
      { ...example, name },
      { runtime: runtime?.name ?? "", role, code: await zipExample(example), memoryMb: memory, variables },
    );
    client.destroy();
  }

  async #withThaw(run: (thaw: Subject) => Promise<Figure[]>): Promise<Figure[]> {
    const thaw = await startThaw(this.#input.home);
    try {
      return await run(thaw);
    } finally {
      await thaw.stop();
    }
  }

  #withBoth(run: (bare: Subject, thaw: Subject) => Promise<Figure[]>): Promise<Figure[]> {
    return this.#withThaw(async (thaw) => {
      const bare = await startBare();
      try {
        return await run(bare, thaw);
      } finally {
        await bare.stop();
      }
    });
  }
}

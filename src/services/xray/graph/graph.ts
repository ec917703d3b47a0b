import type { Edge, EdgeStatistics, HistogramEntry, Service } from "@aws-sdk/client-xray";
import type { Timed } from "../segments/segment.ts";
import { durationOf, outcomeOf, serviceOf, type ServiceName, type Trace } from "../traces/trace.ts";

/** Values of one histogram at most; more are told as their nearest. */
const MOST_VALUES = 100;

/** How calls went, added up. */
export class CallStatistics {
  #ok = 0;
  #throttles = 0;
  #otherErrors = 0;
  #faults = 0;
  #seconds = 0;
  readonly #values = new Map<number, number>();

  add(timed: Timed): void {
    const { fault, error, throttle } = outcomeOf(timed);
    if (fault) this.#faults++;
    else if (throttle) this.#throttles++;
    else if (error) this.#otherErrors++;
    else this.#ok++;
    const seconds = durationOf(timed);
    this.#seconds += seconds;
    const value = Math.round(seconds * 1000) / 1000;
    if (this.#values.has(value) || this.#values.size < MOST_VALUES)
      this.#values.set(value, (this.#values.get(value) ?? 0) + 1);
    else {
      const nearest = [...this.#values.keys()].reduce((best, one) =>
        Math.abs(one - value) < Math.abs(best - value) ? one : best,
      );
      this.#values.set(nearest, (this.#values.get(nearest) ?? 0) + 1);
    }
  }

  summary(): EdgeStatistics {
    const errors = this.#throttles + this.#otherErrors;
    return {
      OkCount: this.#ok,
      ErrorStatistics: { ThrottleCount: this.#throttles, OtherCount: this.#otherErrors, TotalCount: errors },
      FaultStatistics: { OtherCount: this.#faults, TotalCount: this.#faults },
      TotalCount: this.#ok + errors + this.#faults,
      TotalResponseTime: this.#seconds,
    };
  }

  histogram(): HistogramEntry[] {
    return [...this.#values].sort(([a], [b]) => a - b).map(([Value, Count]) => ({ Value, Count }));
  }
}

interface Span {
  start: number;
  end: number;
}

interface Node {
  readonly id: number;
  readonly service: ServiceName;
  readonly span: Span;
  readonly statistics: CallStatistics;
  readonly edges: Map<number, { readonly span: Span; readonly statistics: CallStatistics }>;
  root: boolean;
}

/** The services of traces and the calls between them, as a service map shows them. */
export class ServiceGraph {
  readonly #account: string;
  readonly #nodes = new Map<string, Node>();

  constructor(account: string) {
    this.#account = account;
  }

  add(trace: Trace): void {
    for (const segment of trace.segments) {
      const node = this.#node(serviceOf(segment));
      widen(node.span, segment);
      node.statistics.add(segment);
      if (segment !== trace.root) continue;
      node.root = true;
      // Whoever sent the request: no segment of its own tells of it.
      const client = this.#node({ name: segment.name, type: "client" });
      client.root = true;
      widen(client.span, segment);
      this.#edge(client, node, segment);
    }
    for (const { from, to, timed, inferred } of trace.calls()) {
      const called = this.#node(to);
      if (inferred) {
        widen(called.span, timed);
        called.statistics.add(timed);
      }
      this.#edge(this.#node(from), called, timed);
    }
  }

  services(): Service[] {
    return Array.from(this.#nodes.values(), (node) => this.#describe(node));
  }

  #node(service: ServiceName): Node {
    const key = `${service.type ?? ""} ${service.name}`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = {
        id: this.#nodes.size,
        service,
        span: { start: Infinity, end: 0 },
        statistics: new CallStatistics(),
        edges: new Map(),
        root: false,
      };
      this.#nodes.set(key, node);
    }
    return node;
  }

  #edge(from: Node, to: Node, timed: Timed): void {
    let edge = from.edges.get(to.id);
    if (edge === undefined) {
      edge = { span: { start: Infinity, end: 0 }, statistics: new CallStatistics() };
      from.edges.set(to.id, edge);
    }
    widen(edge.span, timed);
    edge.statistics.add(timed);
  }

  #describe({ id, service, span, statistics, edges, root }: Node): Service {
    const { name, type } = service;
    const described = {
      ReferenceId: id,
      Name: name,
      Names: [name],
      ...(root ? { Root: true } : {}),
      ...(type === undefined ? {} : { Type: type }),
      State: "active",
      ...times(span),
      Edges: Array.from(edges, ([to, edge]): Edge => ({
        ReferenceId: to,
        ...times(edge.span),
        SummaryStatistics: edge.statistics.summary(),
        ResponseTimeHistogram: edge.statistics.histogram(),
        Aliases: [],
      })),
    };
    if (type === "client") return described;
    return {
      ...described,
      AccountId: this.#account,
      SummaryStatistics: statistics.summary(),
      DurationHistogram: statistics.histogram(),
      ResponseTimeHistogram: statistics.histogram(),
    };
  }
}

function widen(span: Span, { start, end }: Timed): void {
  span.start = Math.min(span.start, start);
  span.end = Math.max(span.end, end ?? start);
}

function times({ start, end }: Span): { StartTime: Date; EndTime: Date } {
  return { StartTime: new Date(start * 1000), EndTime: new Date(end * 1000) };
}

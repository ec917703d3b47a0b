import type { Annotation, Segment, Timed } from "../segments/segment.ts";
import {
  durationOf,
  outcomeOf,
  serviceOf,
  type Call,
  type ServiceName,
  type Trace,
} from "../traces/trace.ts";

/** What a condition is asked of: a trace, one of its services, or a call between two of them. */
export interface Subject {
  readonly trace: Trace;
  flag(keyword: Flag): boolean;
  number(keyword: NumberKeyword): number | undefined;
  text(keyword: TextKeyword): string | undefined;
  annotations(key: string): readonly Annotation[];
}

/** "Use filter expressions", X-Ray developer guide. */
export const FLAGS = [
  "ok",
  "error",
  "throttle",
  "fault",
  "partial",
  "inferred",
  "first",
  "last",
  "remote",
  "root",
] as const;
export const NUMBERS = ["responsetime", "duration", "http.status", "index", "coverage"] as const;
export const TEXTS = [
  "name",
  "type",
  "message",
  "user",
  "http.url",
  "http.method",
  "http.useragent",
  "http.clientip",
  "instance.id",
  "availabilityzone",
  "resource.arn",
  "trace.id",
] as const;

export type Flag = (typeof FLAGS)[number];
export type NumberKeyword = (typeof NUMBERS)[number];
export type TextKeyword = (typeof TEXTS)[number];

/** A whole trace: how its entry point answered, and whether anything in it went wrong. */
export class TraceSubject implements Subject {
  readonly trace: Trace;

  constructor(trace: Trace) {
    this.trace = trace;
  }

  flag(keyword: Flag): boolean {
    const outcomes = this.trace.segments.map((segment) => outcomeOf(segment));
    switch (keyword) {
      case "ok":
        return outcomes.every(({ fault, error }) => !fault && !error);
      case "fault":
      case "error":
      case "throttle":
        return outcomes.some((outcome) => outcome[keyword]);
      case "partial":
        return this.trace.partial;
      case "inferred":
        return this.trace.calls().some(({ inferred }) => inferred);
      case "remote":
        return this.trace.calls().some(({ to }) => to.type === "remote");
      default:
        return true;
    }
  }

  number(keyword: NumberKeyword): number | undefined {
    const { root } = this.trace;
    if (keyword === "duration") return this.trace.duration;
    return root === undefined ? undefined : numberOf(root, keyword);
  }

  text(keyword: TextKeyword): string | undefined {
    if (keyword === "trace.id") return this.trace.id;
    if (keyword === "user") return this.trace.segments.find(({ user }) => user !== undefined)?.user;
    const { root } = this.trace;
    return root === undefined ? undefined : textOf(root, keyword);
  }

  annotations(key: string): readonly Annotation[] {
    return this.trace.segments.flatMap((segment) => annotationsWithin(this.trace, segment, key));
  }
}

/** One service of a trace, by its segment or, where it sent none, by a call to it. */
export class ServiceSubject implements Subject {
  readonly trace: Trace;
  readonly service: ServiceName;
  readonly #timed: Timed;
  readonly #inferred: boolean;

  constructor(trace: Trace, service: ServiceName, timed: Timed, inferred: boolean) {
    this.trace = trace;
    this.service = service;
    this.#timed = timed;
    this.#inferred = inferred;
  }

  flag(keyword: Flag): boolean {
    const outcome = outcomeOf(this.#timed);
    switch (keyword) {
      case "ok":
        return !outcome.fault && !outcome.error;
      case "fault":
      case "error":
      case "throttle":
        return outcome[keyword];
      case "partial":
        return this.#timed.end === undefined;
      case "inferred":
        return this.#inferred;
      case "remote":
        return this.service.type === "remote";
      case "first":
      case "root":
        return this.#timed === this.trace.root;
      default:
        return this.trace.calls().every(({ from }) => !sameService(from, this.service));
    }
  }

  number(keyword: NumberKeyword): number | undefined {
    return numberOf(this.#timed, keyword);
  }

  text(keyword: TextKeyword): string | undefined {
    if (keyword === "name") return this.service.name;
    if (keyword === "type") return this.service.type;
    if (keyword === "trace.id") return this.trace.id;
    return "origin" in this.#timed ? textOf(this.#timed as Segment, keyword) : httpText(this.#timed, keyword);
  }

  annotations(key: string): readonly Annotation[] {
    return annotationsWithin(this.trace, this.#timed, key);
  }
}

/** What one of the things on the way to a root cause is. */
export interface CauseItem {
  readonly timed: Timed;
  readonly name: string | undefined;
  readonly type?: string | undefined;
  readonly message?: string | undefined;
  readonly coverage?: number;
  readonly inferred?: boolean;
  readonly remote?: boolean;
}

/** A service, an entity or an exception of a root cause, in its place among the others. */
export class CauseSubject implements Subject {
  readonly trace: Trace;
  readonly #item: CauseItem;
  readonly #index: number;
  readonly #count: number;

  constructor(trace: Trace, item: CauseItem, index: number, count: number) {
    this.trace = trace;
    this.#item = item;
    this.#index = index;
    this.#count = count;
  }

  flag(keyword: Flag): boolean {
    const { timed, inferred = false, remote = false } = this.#item;
    const outcome = outcomeOf(timed);
    switch (keyword) {
      case "first":
        return this.#index === 0;
      case "last":
        return this.#index === this.#count - 1;
      case "inferred":
        return inferred;
      case "remote":
        return remote;
      case "root":
        return timed === this.trace.root;
      case "partial":
        return timed.end === undefined;
      case "ok":
        return !outcome.fault && !outcome.error;
      default:
        return outcome[keyword];
    }
  }

  number(keyword: NumberKeyword): number | undefined {
    if (keyword === "index") return this.#index;
    return keyword === "coverage" ? this.#item.coverage : numberOf(this.#item.timed, keyword);
  }

  text(keyword: TextKeyword): string | undefined {
    if (keyword === "name" || keyword === "type" || keyword === "message") return this.#item[keyword];
    return keyword === "trace.id" ? this.trace.id : httpText(this.#item.timed, keyword);
  }

  annotations(key: string): readonly Annotation[] {
    return annotationsWithin(this.trace, this.#item.timed, key);
  }
}

/** Every service of a trace, those that are known by calls alone among them. */
export function servicesOf(trace: Trace): readonly ServiceSubject[] {
  const inferred = trace.calls().filter((call) => call.inferred);
  return [
    ...trace.segments.map((segment) => new ServiceSubject(trace, serviceOf(segment), segment, false)),
    ...inferred.map(({ to, timed }) => new ServiceSubject(trace, to, timed, true)),
  ];
}

/** The called side of a call, on which conditions on edges are asked. */
export function callSubject(trace: Trace, { to, timed, inferred }: Call): ServiceSubject {
  return new ServiceSubject(trace, to, timed, inferred);
}

export function sameService(a: ServiceName, b: ServiceName): boolean {
  return a.name === b.name && a.type === b.type;
}

function annotationsWithin(trace: Trace, timed: Timed, key: string): readonly Annotation[] {
  return Array.from(trace.walk(timed), ({ annotations }) => annotations.get(key)).filter(
    (value) => value !== undefined,
  );
}

function numberOf(timed: Timed, keyword: NumberKeyword): number | undefined {
  switch (keyword) {
    case "duration":
    case "responsetime":
      return durationOf(timed);
    case "http.status":
      return timed.http?.status;
    case "index":
      return 0;
    default:
      return undefined;
  }
}

function textOf(segment: Segment, keyword: TextKeyword): string | undefined {
  switch (keyword) {
    case "name":
      return segment.name;
    case "type":
      return segment.origin;
    case "message":
      return messageOf(segment);
    case "user":
      return segment.user;
    case "instance.id":
      return segment.instanceId;
    case "availabilityzone":
      return segment.availabilityZone;
    case "resource.arn":
      return segment.resourceArn;
    default:
      return httpText(segment, keyword);
  }
}

function messageOf({ exceptions }: Timed): string | undefined {
  return exceptions.find(({ message }) => message !== undefined)?.message;
}

function httpText({ http }: Timed, keyword: TextKeyword): string | undefined {
  switch (keyword) {
    case "http.url":
      return http?.url;
    case "http.method":
      return http?.method;
    case "http.useragent":
      return http?.userAgent;
    case "http.clientip":
      return http?.clientIp;
    default:
      return undefined;
  }
}

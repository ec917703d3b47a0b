import type { AnnotationValue, ServiceId, TraceSummary } from "@aws-sdk/client-xray";
import type { Annotation, Segment } from "../segments/segment.ts";
import { rootCausesOf } from "./root-causes.ts";
import { durationOf, outcomeOf, serviceOf, type ServiceName, type Trace } from "./trace.ts";

/** A trace as GetTraceSummaries tells it. */
export function summarise(trace: Trace, account: string): TraceSummary {
  const { root, segments } = trace;
  const outcomes = segments.map((segment) => outcomeOf(segment));
  return {
    Id: trace.id,
    StartTime: new Date(trace.start * 1000),
    Duration: round(trace.duration),
    ResponseTime: round(root === undefined ? 0 : durationOf(root)),
    HasFault: outcomes.some(({ fault }) => fault),
    HasError: outcomes.some(({ error }) => error),
    HasThrottle: outcomes.some(({ throttle }) => throttle),
    IsPartial: trace.partial,
    Http: httpOf(root),
    Annotations: annotationsOf(trace, account),
    Users: usersOf(segments, account),
    ServiceIds: distinct(segments.map((segment) => serviceOf(segment))).map((service) =>
      serviceId(service, account),
    ),
    ResourceARNs: present(segments.map(({ resourceArn }) => resourceArn)).map((ARN) => ({ ARN })),
    InstanceIds: present(segments.map(({ instanceId }) => instanceId)).map((Id) => ({ Id })),
    AvailabilityZones: present(segments.map(({ availabilityZone }) => availabilityZone)).map((Name) => ({
      Name,
    })),
    ...(root === undefined ? {} : { EntryPoint: serviceId(serviceOf(root), account) }),
    FaultRootCauses: failures(trace, account, "fault"),
    ErrorRootCauses: failures(trace, account, "error"),
    ResponseTimeRootCauses: slowness(trace, account),
    Revision: trace.documents.size,
  };
}

export function serviceId({ name, type }: ServiceName, account: string): ServiceId {
  return { Name: name, Names: [name], AccountId: account, ...(type === undefined ? {} : { Type: type }) };
}

/** Milliseconds are the finest that clocks of different machines agree about. */
function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

function httpOf(root: Segment | undefined): NonNullable<TraceSummary["Http"]> {
  const { url, status, method, userAgent, clientIp } = root?.http ?? {};
  return {
    ...(url === undefined ? {} : { HttpURL: url }),
    ...(status === undefined ? {} : { HttpStatus: status }),
    ...(method === undefined ? {} : { HttpMethod: method }),
    ...(userAgent === undefined ? {} : { UserAgent: userAgent }),
    ...(clientIp === undefined ? {} : { ClientIp: clientIp }),
  };
}

function annotationsOf(trace: Trace, account: string): NonNullable<TraceSummary["Annotations"]> {
  const found = new Map<string, Map<Annotation, ServiceName[]>>();
  for (const segment of trace.segments)
    for (const part of trace.walk(segment))
      for (const [key, value] of part.annotations) {
        const values = found.get(key) ?? new Map<Annotation, ServiceName[]>();
        found.set(key, values);
        values.set(value, [...(values.get(value) ?? []), serviceOf(segment)]);
      }
  return Object.fromEntries(
    Array.from(found, ([key, values]) => [
      key,
      Array.from(values, ([value, services]) => ({
        AnnotationValue: annotationValue(value),
        ServiceIds: distinct(services).map((service) => serviceId(service, account)),
      })),
    ]),
  );
}

function annotationValue(value: Annotation): AnnotationValue {
  if (typeof value === "string") return { StringValue: value };
  return typeof value === "number" ? { NumberValue: value } : { BooleanValue: value };
}

function usersOf(segments: readonly Segment[], account: string): NonNullable<TraceSummary["Users"]> {
  const users = present(segments.map(({ user }) => user));
  return users.map((user) => ({
    UserName: user,
    ServiceIds: distinct(
      segments.filter((segment) => segment.user === user).map((segment) => serviceOf(segment)),
    ).map((service) => serviceId(service, account)),
  }));
}

function failures(trace: Trace, account: string, kind: "fault" | "error") {
  return rootCausesOf(trace, kind).map(({ services, clientImpacting }) => ({
    Services: services.map(({ service, entities, inferred }) => ({
      ...serviceId(service, account),
      EntityPath: entities.map(({ timed, remote }) => ({
        Name: timed.name,
        Exceptions: timed.exceptions.map(({ type, message }) => ({
          ...(type === undefined ? {} : { Name: type }),
          ...(message === undefined ? {} : { Message: message }),
        })),
        Remote: remote,
      })),
      Inferred: inferred,
    })),
    ClientImpacting: clientImpacting,
  }));
}

function slowness(trace: Trace, account: string) {
  return rootCausesOf(trace, "responsetime").map(({ services, clientImpacting }) => ({
    Services: services.map(({ service, entities, inferred }) => ({
      ...serviceId(service, account),
      EntityPath: entities.map(({ timed, remote, coverage }) => ({
        Name: timed.name,
        Coverage: round(coverage),
        Remote: remote,
      })),
      Inferred: inferred,
    })),
    ClientImpacting: clientImpacting,
  }));
}

function present(values: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}

function distinct(services: readonly ServiceName[]): readonly ServiceName[] {
  return [...new Map(services.map((service) => [`${service.type ?? ""} ${service.name}`, service])).values()];
}

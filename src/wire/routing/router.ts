import { AwsError } from "#core/errors";
import { memoise } from "../protocols/memo.ts";
import { protocols } from "../protocols/registry.ts";
import type { Protocol, WireRequest } from "../protocols/protocol.ts";
import { parseQuery } from "../protocols/rest/uri.ts";
import type { Models, ServiceEntry } from "../schema/load.ts";
import type { ProtocolName, ServiceModel } from "../schema/model.ts";
import { refuseAbsent } from "./absent-service.ts";
import { compileRestRoutes, type RestRoutes } from "./rest-routes.ts";
import type { Refusal, Route, RouteRequest } from "./route.ts";

export interface Router {
  /** Whether the operation's name is in the body (query protocols), which must be a Buffer for `route` then. */
  needsBody(request: Pick<WireRequest, "method" | "headers" | "query">): boolean;
  route(request: RouteRequest): Route | Refusal;
}

/**
 * Finds service, protocol and operation by credential scope, X-Amz-Target, smithy-protocol, form body and REST path
 * together: several services sign as `lambda`, and a service's clients of several ages speak different protocols.
 * Services are `serviceNames` in the order in which unsigned requests try them.
 */
export function createRouter(models: Models, serviceNames: readonly string[]): Router {
  return new CompiledRouter(models, serviceNames);
}

/** X-Amz-Target: `Logs_20140328.CreateLogGroup`. */
const targetHeader = "x-amz-target";
const formType = "application/x-www-form-urlencoded";
const cborPath = /\/service\/([^/]+)\/operation\/([^/]+)\/?$/;

class CompiledRouter implements Router {
  readonly #models: Models;
  readonly #entries: readonly ServiceEntry[];
  readonly #bySigningName = new Map<string, ServiceEntry[]>();
  readonly #restRoutes = new Map<string, RestRoutes>();

  constructor(models: Models, serviceNames: readonly string[]) {
    this.#models = models;
    this.#entries = serviceNames.map((name) => {
      const entry = models.index.find((known) => known.name === name);
      if (entry === undefined) throw new Error(`no schema table for ${name}`);
      return entry;
    });
    for (const entry of this.#entries) {
      const known = this.#bySigningName.get(entry.signingName);
      if (known === undefined) this.#bySigningName.set(entry.signingName, [entry]);
      else known.push(entry);
    }
  }

  needsBody({ method, headers }: Pick<WireRequest, "method" | "headers">): boolean {
    return (
      method === "POST" &&
      headers[targetHeader] === undefined &&
      headers["content-type"]?.startsWith(formType) === true
    );
  }

  route(request: RouteRequest): Route | Refusal {
    const { scopeService, headers } = request;
    const scoped = scopeService === undefined ? undefined : this.#bySigningName.get(scopeService);
    if (scopeService !== undefined && scoped === undefined)
      return refuseAbsent(this.#models, [...this.#bySigningName.keys()], scopeService, request);
    const candidates = scoped ?? this.#entries;
    const target = headers[targetHeader];
    if (target !== undefined) return this.#byTarget(candidates, target, headers["content-type"]);
    if (headers["smithy-protocol"] === "rpc-v2-cbor") return this.#byCborPath(candidates, request.path);
    const action = this.#formOf(candidates, request);
    if (action !== undefined) return this.#byAction(candidates, action);
    return this.#byPath(candidates, request);
  }

  #byTarget(
    candidates: readonly ServiceEntry[],
    target: string,
    contentType: string | undefined,
  ): Route | Refusal {
    const dot = target.lastIndexOf(".");
    const prefix = target.slice(0, Math.max(dot, 0));
    const entry = candidates.find((known) => known.targetPrefix === prefix);
    const named: ProtocolName = contentType?.startsWith("application/x-amz-json-1.1")
      ? "aws-json-1.1"
      : "aws-json-1.0";
    if (entry === undefined) return refuseService(protocols[named]);
    const service = this.#models.get(entry.name);
    const spoken = entry.protocols.find((name) => name.startsWith("aws-json"));
    // A service takes both versions, and answers in the one that it was asked in.
    const protocol =
      protocols[contentType?.startsWith("application/x-amz-json-") ? named : (spoken ?? named)];
    return routeTo(service, protocol, target.slice(dot + 1));
  }

  #byCborPath(candidates: readonly ServiceEntry[], path: string): Route | Refusal {
    const protocol = protocols["rpcv2-cbor"];
    const [, prefix, operation = ""] = cborPath.exec(path) ?? [];
    const entry = candidates.find(
      (known) => known.targetPrefix === prefix && known.protocols.includes("rpcv2-cbor"),
    );
    if (entry === undefined) return refuseService(protocol);
    return routeTo(this.#models.get(entry.name), protocol, operation);
  }

  /** The Action and Version of a query request; `undefined` where the request is none. */
  #formOf(
    candidates: readonly ServiceEntry[],
    { method, query, headers, body, path }: RouteRequest,
  ): Action | undefined {
    if (!candidates.some(speaksQuery)) return undefined;
    const form =
      this.needsBody({ method, headers }) && Buffer.isBuffer(body)
        ? actionOf(body.toString("latin1"))
        : undefined;
    if (form !== undefined) return form;
    const inQuery = query.includes("Action=") ? actionOf(query) : undefined;
    if (inQuery !== undefined) return inQuery;
    // Where only query is spoken, a request without an action is a wrong one; elsewhere it may be for a REST service.
    const onlyQuery = candidates.every(
      ({ protocols: names }) => !names.some((name) => name.startsWith("rest-")),
    );
    return onlyQuery && (path === "/" || path === "") ? { name: undefined, version: undefined } : undefined;
  }

  #byAction(candidates: readonly ServiceEntry[], action: Action): Route | Refusal {
    const speakers = candidates.filter(speaksQuery);
    const { name, version } = action;
    // Without a scope, the version tells; several services share a day, so the action must be known as well.
    const entry =
      speakers.length === 1
        ? speakers[0]
        : speakers.find(
            (known) =>
              known.apiVersion === version &&
              name !== undefined &&
              this.#models.get(known.name).operations.has(name),
          );
    if (entry === undefined) return refuseService(protocols.query);
    const service = this.#models.get(entry.name);
    const protocol = protocols[entry.protocols.includes("ec2-query") ? "ec2-query" : "query"];
    const operation = name === undefined ? undefined : service.operations.get(name);
    if (operation !== undefined) return { kind: "route", service, protocol, operation };
    return { kind: "refusal", service, protocol, error: unknownAction(service, action) };
  }

  #byPath(candidates: readonly ServiceEntry[], request: RouteRequest): Route | Refusal {
    let parameters: ReadonlyMap<string, string> | undefined;
    const readParameters = (): ReadonlyMap<string, string> =>
      (parameters ??= new Map(parseQuery(request.query) ?? []));
    const rest = this.#restServices(candidates);
    for (const { entry, protocol } of rest) {
      const routes = this.#routesOf(entry.name);
      const operation = routes.find(request.method, request.path, readParameters, request.headers);
      if (operation !== undefined)
        return { kind: "route", service: this.#models.get(entry.name), protocol, operation };
    }
    const [only] = rest;
    if (rest.length === 1 && only !== undefined)
      return {
        kind: "refusal",
        service: this.#models.get(only.entry.name),
        protocol: only.protocol,
        error: unknownOperation(404),
      };
    const [first] = candidates;
    const guess = this.needsBody(request) ? "query" : "rest-json";
    const spoken = candidates.length === 1 ? first?.protocols[0] : undefined;
    return refuseService(protocols[spoken ?? guess]);
  }

  /** Those of `candidates` that speak REST; the lists of candidates live as long as the router. */
  readonly #restServices = memoise((candidates: readonly ServiceEntry[]) =>
    candidates.flatMap((entry) => {
      const name = entry.protocols.find((protocol) => protocol === "rest-json" || protocol === "rest-xml");
      return name === undefined ? [] : [{ entry, protocol: protocols[name] }];
    }),
  );

  #routesOf(name: string): RestRoutes {
    let routes = this.#restRoutes.get(name);
    if (routes === undefined) {
      routes = compileRestRoutes(this.#models.get(name));
      this.#restRoutes.set(name, routes);
    }
    return routes;
  }
}

interface Action {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

/** Reads Action and Version wherever they stand in a form; `undefined` where there is no Action. */
function actionOf(form: string): Action | undefined {
  const name = parameterOf(form, "Action");
  return name === undefined ? undefined : { name, version: parameterOf(form, "Version") };
}

/** Both are plain words, so a form of many megabytes need not be decoded to find them. */
function parameterOf(form: string, name: string): string | undefined {
  const start = form.startsWith(`${name}=`) ? 0 : form.indexOf(`&${name}=`) + 1;
  if (start === 0 && !form.startsWith(`${name}=`)) return undefined;
  const end = form.indexOf("&", start);
  return form.slice(start + name.length + 1, end === -1 ? undefined : end).trim();
}

function speaksQuery({ protocols: names }: ServiceEntry): boolean {
  return names.includes("query") || names.includes("ec2-query");
}

function routeTo(service: ServiceModel, protocol: Protocol, name: string): Route | Refusal {
  const operation = service.operations.get(name);
  if (operation !== undefined) return { kind: "route", service, protocol, operation };
  return { kind: "refusal", service, protocol, error: unknownOperation(400) };
}

function unknownOperation(status: number): AwsError {
  return new AwsError("UnknownOperationException", "", { status });
}

/** In the words of AWS's query services; EC2 and SQS have their own. */
function unknownAction(service: ServiceModel, { name, version }: Action): AwsError {
  if (name === undefined)
    return new AwsError("MissingAction", "The request must contain the parameter Action");
  const message = service.protocols.includes("ec2-query")
    ? `The action ${name} is not valid for this web service.`
    : service.name === "sqs"
      ? `The action ${name} is not valid for this endpoint.`
      : `Could not find operation ${name} for version ${version ?? "NO_VERSION_SPECIFIED"}`;
  return new AwsError("InvalidAction", message);
}

function refuseService(protocol: Protocol): Refusal {
  return { kind: "refusal", service: undefined, protocol, error: unknownOperation(404) };
}

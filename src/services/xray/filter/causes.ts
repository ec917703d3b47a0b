import type { CauseService, RootCause } from "../traces/root-causes.ts";
import { FilterExpressionError } from "./error.ts";
import type { CauseItem } from "./subject.ts";

/** What may be asked about on the way to a root cause, in order. */
export const ITEMS = {
  service: ({ services }: RootCause) => services.flatMap((one) => serviceItem(one)),
  entity: ({ services }: RootCause): readonly CauseItem[] =>
    services.flatMap(({ service: { type }, entities, inferred }) =>
      entities.map(({ timed, remote, coverage }) => ({
        timed,
        name: timed.name,
        type,
        remote,
        coverage,
        inferred,
      })),
    ),
  exception: ({ services }: RootCause): readonly CauseItem[] =>
    services.flatMap(({ entities }) =>
      entities.flatMap(({ timed }) =>
        timed.exceptions.map(({ type, message }) => ({ timed, name: type, message })),
      ),
    ),
} as const;

function serviceItem({ service: { name, type }, entities, inferred }: CauseService): readonly CauseItem[] {
  const [first] = entities;
  if (first === undefined) return [];
  return [{ timed: first.timed, name, type, inferred, remote: first.remote, coverage: first.coverage }];
}

/** The names of a root cause's services, and of what is on the way in each, where that was told. */
interface CauseShape {
  readonly name: string;
  readonly entities: readonly string[] | undefined;
}

/** Reads `[{ "Services": [{ "Name": "a", "EntityPath": [{ "Name": "a" }] }] }]`. @throws FilterExpressionError */
export function causeShapes(json: string): readonly (readonly CauseShape[])[] {
  return listOf(parsed(json)).map((cause) =>
    listOf(member(cause, "Services")).map((service) => {
      const path = member(service, "EntityPath");
      return {
        name: textOf(member(service, "Name")),
        entities:
          path === undefined ? undefined : listOf(path).map((entity) => textOf(member(entity, "Name"))),
      };
    }),
  );
}

export function hasShape({ services }: RootCause, shape: readonly CauseShape[]): boolean {
  if (services.length !== shape.length) return false;
  return services.every(({ service, entities }, at) => {
    const wanted = shape[at];
    if (wanted === undefined || service.name !== wanted.name) return false;
    const names = wanted.entities;
    return (
      names === undefined ||
      (names.length === entities.length && entities.every(({ timed }, index) => timed.name === names[index]))
    );
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw new FilterExpressionError("what follows # is no JSON");
  }
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new FilterExpressionError("root causes are lists of Services");
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new FilterExpressionError("root causes have names");
  return value;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

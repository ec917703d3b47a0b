import type { CallContext, ServiceDefinition } from "./operation.ts";

/** A handler whose types were checked where it was defined; what arrives was deserialised from the same schema. */
export type AnyHandler = (input: object, call: CallContext) => unknown;

/** Looks handlers up; `undefined` where an operation is not built. */
export type HandlerTable = (service: string, operation: string) => AnyHandler | undefined;

export function handlerTable(services: readonly ServiceDefinition[]): HandlerTable {
  const byService = new Map(
    services.map(({ name, operations }) => [name, new Map(Object.entries(operations))] as const),
  );
  return (service, operation) => byService.get(service)?.get(operation) as AnyHandler | undefined;
}

import type { AwsCaller, CallerIdentity } from "#wire/operation";

/** The caller that services are made with, before all of those that it calls have been made. */
export class LateCaller implements AwsCaller {
  #caller: AwsCaller | undefined;

  connect(caller: AwsCaller): void {
    this.#caller = caller;
  }

  call(service: string, operation: string, input: unknown, by: CallerIdentity): Promise<unknown> {
    if (this.#caller === undefined) throw new Error(`${service}.${operation} was called before it was made`);
    return this.#caller.call(service, operation, input, by);
  }
}

import type { ProvisionedSlot } from "../placement/provisioned-slot.ts";
import type { FunctionGate } from "./gate.ts";
import type { BilledInvocation } from "../contract.ts";
import type { ResourceMeter } from "./meter.ts";

export interface AdmissionOptions {
  readonly gate: FunctionGate;
  readonly resource: ResourceMeter;
  /** Where the invocation has a provisioned environment, those that it is one of. */
  readonly provisioned: ProvisionedSlot | undefined;
  /** Whether there are provisioned environments for it, and all are busy. */
  readonly spilledOver: boolean;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** How an invocation has ended. */
export interface EndedInvocation extends BilledInvocation {
  readonly durationMs: number;
  readonly failed: boolean;
  /** How long extensions went on after the runtime was done; undefined where none did. */
  readonly extensionsMs?: number | undefined;
}

/** An invocation that the gate has let in: its way out again, and its metrics. */
export class Admission {
  readonly gate: FunctionGate;
  readonly provisioned: ProvisionedSlot | undefined;
  readonly #resource: ResourceMeter;
  readonly #time: number;

  constructor({ gate, resource, provisioned, spilledOver, time }: AdmissionOptions) {
    this.gate = gate;
    this.provisioned = provisioned;
    this.#resource = resource;
    this.#time = time;
    const { account } = gate;
    account.meter.concurrent.record(account.running, time);
    account.meter.claimed.record(account.unreserved + account.claimed, time);
    gate.meter.concurrent.record(gate.running, time);
    if (provisioned !== undefined) {
      const { qualifier, spec, busy, allocated } = provisioned;
      gate.meter.provisioned(qualifier, spec.version).invoked(busy, allocated, time);
    } else {
      account.meter.unreserved.record(account.unreserved, time);
      if (spilledOver) resource.spilledOver(time);
    }
  }

  /** The function, or the platform in its stead, has answered. */
  invoked(invocation: EndedInvocation): void {
    this.#resource.invoked(invocation.durationMs, invocation.failed, this.#time);
    if (invocation.extensionsMs !== undefined) this.#resource.extended(invocation.extensionsMs, this.#time);
    this.gate.meter.usage.invoked(invocation, this.provisioned !== undefined, this.#time);
  }

  /** No environment could be had within the limits. */
  throttled(): void {
    this.#resource.throttled(this.#time);
  }

  leave(): void {
    this.gate.leave(this.provisioned !== undefined);
  }
}

export type RuntimeFamily = "nodejs" | "python";

/** A managed runtime that Thaw can run, given an interpreter of its version. */
export interface ManagedRuntime {
  /** Lambda's identifier, such as `nodejs22.x`. */
  readonly name: string;
  readonly family: RuntimeFamily;
  /** The interpreter's version as far as the runtime fixes it: `22`, `3.12`. */
  readonly version: string;
}

const NODE = ["18", "20", "22", "24", "26"];
const PYTHON = ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"];

export const MANAGED_RUNTIMES: readonly ManagedRuntime[] = [
  ...NODE.map((version) => ({ name: `nodejs${version}.x`, family: "nodejs" as const, version })),
  ...PYTHON.map((version) => ({ name: `python${version}`, family: "python" as const, version })),
];

export function managedRuntime(name: string): ManagedRuntime | undefined {
  return MANAGED_RUNTIMES.find((runtime) => runtime.name === name);
}

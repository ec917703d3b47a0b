export type RuntimeFamily = "nodejs" | "python" | "java" | "ruby";

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
const JAVA = ["11", "17", "21", "25"];
const JAVA_ON = [
  { version: "8", system: "al2" },
  ...["8", "11", "17"].map((version) => ({ version, system: "al2023" })),
];
const RUBY = ["3.2", "3.3", "3.4", "4.0"];

export const MANAGED_RUNTIMES: readonly ManagedRuntime[] = [
  ...NODE.map((version) => ({ name: `nodejs${version}.x`, family: "nodejs" as const, version })),
  ...PYTHON.map((version) => ({ name: `python${version}`, family: "python" as const, version })),
  // The names that Lambda has for Java 8, 11 and 17 on another Amazon Linux than their own.
  ...JAVA_ON.map(({ version, system }) => ({
    name: `java${version}.${system}`,
    family: "java" as const,
    version,
  })),
  ...JAVA.map((version) => ({ name: `java${version}`, family: "java" as const, version })),
  ...RUBY.map((version) => ({ name: `ruby${version}`, family: "ruby" as const, version })),
];

export function managedRuntime(name: string): ManagedRuntime | undefined {
  return MANAGED_RUNTIMES.find((runtime) => runtime.name === name);
}

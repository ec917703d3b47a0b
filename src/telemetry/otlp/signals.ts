/** What OTLP carries, by the last part of its path: `/v1/traces`. */
export type Signal = "traces" | "metrics" | "logs";

export const SIGNALS: readonly Signal[] = ["traces", "metrics", "logs"];

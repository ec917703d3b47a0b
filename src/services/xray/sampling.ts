import type { DocumentKey, Documents } from "#storage/documents";
import type { Scope } from "./scope.ts";

/** Every account has it; it fits every request, and may be changed but not deleted. */
export const DEFAULT_RULE = "Default";

export interface SamplingRuleDocument {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly created: number;
  readonly modified: number;
  readonly resourceArn: string;
  readonly priority: number;
  readonly fixedRate: number;
  readonly reservoirSize: number;
  readonly serviceName: string;
  readonly serviceType: string;
  readonly host: string;
  readonly httpMethod: string;
  readonly urlPath: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export function ruleKey({ account, region }: Scope, name: string): DocumentKey {
  return [account, region, "xray-sampling-rule", name];
}

export function ruleArn({ account, region }: Scope, name: string): string {
  return `arn:aws:xray:${region}:${account}:sampling-rule/${name}`;
}

export function* listRules(documents: Documents, scope: Scope): Generator<SamplingRuleDocument> {
  const stored = [
    ...documents.list<SamplingRuleDocument>([scope.account, scope.region, "xray-sampling-rule"]),
  ];
  for (const { value } of stored) yield value;
  if (!stored.some(({ value }) => value.name === DEFAULT_RULE)) yield defaultRule();
}

/** "the first request each second, and five percent of any additional requests" */
export function defaultRule(): SamplingRuleDocument {
  return {
    name: DEFAULT_RULE,
    created: 0,
    modified: 0,
    resourceArn: "*",
    priority: 10_000,
    fixedRate: 0.05,
    reservoirSize: 1,
    serviceName: "*",
    serviceType: "*",
    host: "*",
    httpMethod: "*",
    urlPath: "*",
    attributes: {},
  };
}

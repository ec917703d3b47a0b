/** What a value may be compared by, besides being written out. */
export type Operator =
  | "prefix"
  | "suffix"
  | "anything-but"
  | "numeric"
  | "exists"
  | "equals-ignore-case"
  | "wildcard"
  | "cidr";

/** What `anything-but` may hold instead of values. */
export type NegatedOperator = "prefix" | "suffix" | "equals-ignore-case" | "wildcard";

/** How the services differ that share the language of event patterns. */
export interface Dialect {
  readonly operators: ReadonlySet<Operator>;
  readonly anythingBut: ReadonlySet<NegatedOperator>;
  /** Whether an operator within `anything-but` takes a list, and `prefix` and `suffix` an `equals-ignore-case`. */
  readonly extended: boolean;
}

const OPERATORS: readonly Operator[] = [
  "prefix",
  "suffix",
  "anything-but",
  "numeric",
  "exists",
  "equals-ignore-case",
  "wildcard",
  "cidr",
];

/** EventBridge user guide, "Comparison operators for use in event patterns". */
export const EVENT_BRIDGE: Dialect = {
  operators: new Set(OPERATORS),
  anythingBut: new Set(["prefix", "suffix", "equals-ignore-case", "wildcard"]),
  extended: true,
};

/**
 * FilterCriteria of event source mappings (Lambda developer guide, "Filter rule syntax"). Lambda hands them to the same
 * matcher, so that operators which its guide leaves out work too.
 */
export const EVENT_SOURCE_MAPPING: Dialect = EVENT_BRIDGE;

/**
 * Filter policies of SNS (SNS developer guide, "String value matching"). Recorded: `anything-but` takes a prefix and
 * refuses a suffix (test_validate_policy_nested_anything_but_operator).
 */
export const FILTER_POLICY: Dialect = {
  operators: new Set(OPERATORS),
  anythingBut: new Set(["prefix"]),
  extended: false,
};

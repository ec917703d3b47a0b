/** What a query means, before it is compiled. */
export type Expression =
  | { readonly kind: "literal"; readonly value: string | number | boolean }
  | { readonly kind: "regex"; readonly source: string; readonly flags: string; readonly at: number }
  | { readonly kind: "duration"; readonly text: string; readonly at: number }
  | { readonly kind: "field"; readonly name: string }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly args: readonly Expression[];
      readonly at: number;
    }
  | { readonly kind: "unary"; readonly operator: "not" | "-"; readonly operand: Expression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "in"; readonly value: Expression; readonly list: readonly Expression[] };

export type BinaryOperator =
  | "or"
  | "and"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "like"
  | "not like"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "^";

/** An expression with the name that it has in results. */
export interface Named {
  readonly name: string;
  readonly expression: Expression;
}

export type Command =
  | { readonly kind: "fields" | "display"; readonly columns: readonly Named[] }
  | { readonly kind: "filter"; readonly condition: Expression }
  | { readonly kind: "stats"; readonly aggregates: readonly Named[]; readonly by: readonly Named[] }
  | { readonly kind: "sort"; readonly keys: readonly SortKey[] }
  | { readonly kind: "limit"; readonly count: number }
  | { readonly kind: "dedup"; readonly fields: readonly string[] }
  | { readonly kind: "pattern"; readonly field: string }
  | { readonly kind: "unnest"; readonly field: string; readonly as: string }
  | ParseCommand;

export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
}

export interface ParseCommand {
  readonly kind: "parse";
  readonly source: Expression;
  readonly pattern:
    | { readonly kind: "glob"; readonly text: string }
    | { readonly kind: "regex"; readonly source: string; readonly flags: string; readonly at: number };
  /** Names of what the pattern's stars or groups find; of a regular expression's named groups where there are none. */
  readonly names: readonly string[];
}

export interface Query {
  /** In order of execution. */
  readonly commands: readonly Command[];
}

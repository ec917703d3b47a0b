import type { Constraints, ProtocolName, SimpleKind, Traits } from "./model.ts";

/**
 * The compact form of a service's schemas, as `tools/schemas/table.mjs` writes it. Shapes refer to one another by their
 * index in `shapes`; a zero stands for "none", and zeros at the end of a row are left out.
 */
export interface Table {
  readonly name: string;
  readonly signingName: string;
  readonly apiVersion: string;
  readonly targetPrefix: string;
  readonly xmlNamespace: string | null;
  readonly protocols: readonly ProtocolName[];
  readonly shapes: readonly ShapeRow[];
  readonly operations: Readonly<
    Record<
      string,
      readonly [
        http: readonly [method: string, uri: string, status: number] | 0,
        input: number,
        output: number,
      ]
    >
  >;
  /** Error shapes by shape name and by query code. */
  readonly errors: Readonly<Record<string, number>>;
}

export type TraitsCell = Traits | 0;

/** A shape as a list or map refers to it; traits are the member's over those of its shape. */
export type ReferenceCell = readonly [shape: number, traits: TraitsCell];

export type MemberRow = readonly [
  name: string,
  shape: number,
  traits?: TraitsCell,
  required?: 0 | 1,
  constraints?: Constraints | 0,
];

export type ShapeRow =
  | readonly [kind: SimpleKind, name: string, traits: TraitsCell]
  | readonly [kind: "list", name: string, traits: TraitsCell, member: ReferenceCell]
  | readonly [kind: "map", name: string, traits: TraitsCell, key: ReferenceCell, value: ReferenceCell]
  | readonly [kind: "structure" | "union", name: string, traits: TraitsCell, members: readonly MemberRow[]];

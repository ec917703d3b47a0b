import { existsSync, readFileSync } from "node:fs";
import type {
  Constraints,
  ListShape,
  MapShape,
  Member,
  OperationModel,
  ServiceModel,
  Shape,
  StructureShape,
  Traits,
} from "./model.ts";
import type { MemberRow, ReferenceCell, ShapeRow, Table, TraitsCell } from "./table.ts";

/** What is known of a service before its table is read. */
export type ServiceEntry = Pick<
  ServiceModel,
  "name" | "signingName" | "apiVersion" | "targetPrefix" | "protocols"
>;

/** Gives service models by botocore name; each is read from its table on first use and kept. */
export interface Models {
  /** Every service that has a table. */
  readonly index: readonly ServiceEntry[];
  /** Throws where no table was made for `name`. */
  get(name: string): ServiceModel;
}

/** A cache of models. A process has one, made by its composition root; tests may share one or make their own. */
export function createModels(): Models {
  const known = new Map<string, ServiceModel>();
  return {
    index: readTable("index") as readonly ServiceEntry[],
    get(name) {
      let model = known.get(name);
      if (model === undefined) {
        model = loadModel(name);
        known.set(name, model);
      }
      return model;
    },
  };
}

/**
 * Reads a service's table, synchronously: ec2 (0.9 MB) takes about 15 ms, lambda three. Structures make
 * their members when they are first asked for, so an operation that nobody calls costs next to nothing.
 */
export function loadModel(name: string): ServiceModel {
  return modelOf(readTable(name) as Table);
}

/** The build writes these files from the types that they are read as. */
function readTable(name: string): unknown {
  const file = new URL(`./tables/${name}.json`, import.meta.url);
  if (!existsSync(file)) throw new Error(`no schema table for ${name}: run "npm run schemas"`);
  return JSON.parse(readFileSync(file, "utf8"));
}

/** Builds the object graph of a table. */
export function modelOf(table: Table): ServiceModel {
  const graph = new ShapeGraph(table.shapes);
  const operations = new Map<string, OperationModel>();
  for (const [name, [http, input, output]] of Object.entries(table.operations)) {
    operations.set(name, {
      name,
      http: http === 0 ? undefined : { method: http[0], uri: http[1], status: http[2] },
      input: graph.structure(input),
      output: graph.structure(output),
    });
  }
  const errors = new Map<string, StructureShape>();
  for (const [code, index] of Object.entries(table.errors)) errors.set(code, graph.structure(index));
  return {
    name: table.name,
    signingName: table.signingName,
    apiVersion: table.apiVersion,
    targetPrefix: table.targetPrefix,
    xmlNamespace: table.xmlNamespace ?? undefined,
    protocols: table.protocols,
    operations,
    errors,
  };
}

const noTraits: Traits = {};

function traitsOf(cell: TraitsCell | undefined): Traits {
  return cell === undefined || cell === 0 ? noTraits : cell;
}

/** One object for each row, so that a shape's identity can key what protocols compile for it. */
class ShapeGraph {
  readonly #rows: readonly ShapeRow[];
  readonly #shapes: (Shape | undefined)[];

  constructor(rows: readonly ShapeRow[]) {
    this.#rows = rows;
    this.#shapes = Array.from<Shape | undefined>({ length: rows.length });
  }

  shape(index: number): Shape {
    const known = this.#shapes[index];
    if (known !== undefined) return known;
    const row = this.#rows[index];
    if (row === undefined) throw new Error(`schema table without shape ${index}`);
    const shape = this.#make(row);
    this.#shapes[index] = shape;
    return shape;
  }

  structure(index: number): StructureShape {
    const shape = this.shape(index);
    if (shape.kind !== "structure" && shape.kind !== "union")
      throw new Error(`schema table: ${shape.name} is no structure`);
    return shape;
  }

  members(rows: readonly MemberRow[]): ReadonlyMap<string, Member> {
    const members = new Map<string, Member>();
    for (const [name, shape, traits, required, constraints] of rows)
      members.set(name, this.#member(name, [shape, traits ?? 0], required === 1, constraints));
    return members;
  }

  element(name: string, cell: ReferenceCell): Member {
    return this.#member(name, cell, false, undefined);
  }

  #member(
    name: string,
    [index, cell]: ReferenceCell,
    required: boolean,
    constraints: Constraints | 0 | undefined,
  ): Member {
    return {
      name,
      shape: this.shape(index),
      traits: traitsOf(cell),
      required,
      constraints: constraints === 0 ? undefined : constraints,
    };
  }

  #make(row: ShapeRow): Shape {
    switch (row[0]) {
      case "structure":
      case "union":
        return new LazyStructure(this, row[0], row[1], traitsOf(row[2]), row[3]);
      case "list":
        return new LazyList(this, row[1], traitsOf(row[2]), row[3]);
      case "map":
        return new LazyMap(this, row[1], traitsOf(row[2]), row[3], row[4]);
      default:
        return { kind: row[0], name: row[1], traits: traitsOf(row[2]) };
    }
  }
}

class LazyStructure implements StructureShape {
  readonly kind: "structure" | "union";
  readonly name: string;
  readonly traits: Traits;
  readonly #graph: ShapeGraph;
  readonly #rows: readonly MemberRow[];
  #members: ReadonlyMap<string, Member> | undefined;

  constructor(
    graph: ShapeGraph,
    kind: "structure" | "union",
    name: string,
    traits: Traits,
    rows: readonly MemberRow[],
  ) {
    this.#graph = graph;
    this.kind = kind;
    this.name = name;
    this.traits = traits;
    this.#rows = rows;
  }

  get members(): ReadonlyMap<string, Member> {
    return (this.#members ??= this.#graph.members(this.#rows));
  }
}

class LazyList implements ListShape {
  readonly kind = "list";
  readonly name: string;
  readonly traits: Traits;
  readonly #graph: ShapeGraph;
  readonly #cell: ReferenceCell;
  #member: Member | undefined;

  constructor(graph: ShapeGraph, name: string, traits: Traits, cell: ReferenceCell) {
    this.#graph = graph;
    this.name = name;
    this.traits = traits;
    this.#cell = cell;
  }

  get member(): Member {
    return (this.#member ??= this.#graph.element("member", this.#cell));
  }
}

class LazyMap implements MapShape {
  readonly kind = "map";
  readonly name: string;
  readonly traits: Traits;
  readonly #graph: ShapeGraph;
  readonly #cells: readonly [key: ReferenceCell, value: ReferenceCell];
  #key: Member | undefined;
  #value: Member | undefined;

  constructor(graph: ShapeGraph, name: string, traits: Traits, key: ReferenceCell, value: ReferenceCell) {
    this.#graph = graph;
    this.name = name;
    this.traits = traits;
    this.#cells = [key, value];
  }

  get key(): Member {
    return (this.#key ??= this.#graph.element("key", this.#cells[0]));
  }

  get value(): Member {
    return (this.#value ??= this.#graph.element("value", this.#cells[1]));
  }
}

import type { AwsError } from "#core/errors";
import type {
  ListShape,
  MapShape,
  Member,
  Shape,
  SimpleKind,
  StructureShape,
  Traits,
} from "../../schema/model.ts";
import { readScalar } from "../xml/scalars.ts";
import { malformedInput } from "./errors.ts";
import type { Parameter } from "./parameters.ts";

/** In what awsQuery and ec2Query differ when a request is read (Smithy, "AWS query protocol", "AWS EC2 query protocol"). */
export interface QueryDialect {
  /** The part of a parameter's name that stands for a structure's member. */
  memberName(member: Member): string;
  /** EC2 writes every list as if it were flattened. */
  readonly listsAreFlat: boolean;
  /** The refusal of `text`, which is no `kind`, at the member or index `name`. */
  wrongValue(name: string, kind: SimpleKind, text: string): AwsError;
}

/** A parameter that is not there. */
const NOTHING: Parameter = { value: undefined, children: new Map() };

/** An index as clients write it: from 1, in decimal, without leading zeros. */
const INDEX = /^(?:0|[1-9][0-9]{0,9})$/;

/**
 * Reads a structure from the parameters below `from`. Parameters that no member is named after are ignored. Throws
 * AwsError, status 400, where a value does not fit its member.
 */
export function readStructure(
  dialect: QueryDialect,
  shape: StructureShape,
  from: Parameter,
): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const taken = new Set<string>();
  for (const member of shape.members.values()) {
    const name = dialect.memberName(member);
    const parameter = from.children.get(name);
    // Two members of SQS's ReceiveMessage are named AttributeName; query clients know only the first, AttributeNames.
    if (parameter === undefined || taken.has(name)) continue;
    taken.add(name);
    value[member.name] = readValue(dialect, name, member.shape, member.traits, parameter);
  }
  if (shape.kind === "union" && Object.keys(value).length > 1)
    throw malformedInput(`${shape.name} must have exactly one member`);
  return value;
}

function readValue(
  dialect: QueryDialect,
  name: string,
  shape: Shape,
  traits: Traits,
  from: Parameter,
): unknown {
  switch (shape.kind) {
    case "structure":
    case "union":
      if (from.value) throw malformedInput("Unexpected complex element termination");
      return readStructure(dialect, shape, from);
    case "list":
      return readList(dialect, name, shape, traits, from);
    case "map":
      return readMap(dialect, name, shape, traits, from);
    default: {
      if (from.children.size > 0) throw malformedInput("Start of list found where not expected");
      const text = from.value ?? "";
      const value = readScalar(shape, traits, text);
      if (value === undefined) throw dialect.wrongValue(name, shape.kind, text);
      return value;
    }
  }
}

function readList(
  dialect: QueryDialect,
  name: string,
  shape: ListShape,
  traits: Traits,
  from: Parameter,
): unknown[] {
  const { member } = shape;
  const flat = dialect.listsAreFlat || traits.xmlFlattened === true;
  const items = flat ? flatItems(from) : nestedItems(from, member.traits.xmlName ?? "member");
  return items.map((item) => readValue(dialect, name, member.shape, member.traits, item));
}

function readMap(
  dialect: QueryDialect,
  name: string,
  shape: MapShape,
  traits: Traits,
  from: Parameter,
): Record<string, unknown> {
  const entries = traits.xmlFlattened === true ? flatItems(from) : nestedItems(from, "entry");
  // Built from entries, so that a key such as `__proto__` is a key like any other.
  return Object.fromEntries(
    entries.map((entry) => {
      const key = entry.children.get(shape.key.traits.xmlName ?? "key");
      const given = entry.children.get(shape.value.traits.xmlName ?? "value");
      // A structure without members leaves no parameter behind; what it lacks is for validation to say (recorded of SNS).
      const value = given ?? (shape.value.shape.kind === "structure" ? NOTHING : undefined);
      if (key?.value === undefined || value === undefined)
        throw malformedInput("Unexpected complex element termination");
      return [key.value, readValue(dialect, name, shape.value.shape, shape.value.traits, value)];
    }),
  );
}

/** The elements of `Name.member.1`, in the order of their indexes; an empty list is written `Name=`. */
function nestedItems(from: Parameter, step: string): Parameter[] {
  const nested = from.children.get(step);
  if (nested === undefined) {
    if ([...from.children.keys()].some((part) => INDEX.test(part)))
      throw malformedInput("Top level element may not be treated as a list");
    if (from.children.size > 0 || from.value) throw malformedInput("Unexpected list element termination");
    return [];
  }
  if (nested.value || from.value) throw malformedInput("Unexpected list element termination");
  return indexedItems(nested);
}

/**
 * The elements of `Name.1`. A sole element may come without its index, as in SetQueueAttributes' documented example:
 * `Attribute.Name=VisibilityTimeout&Attribute.Value=35`.
 */
function flatItems(from: Parameter): Parameter[] {
  const indexed = [...from.children.keys()].some((part) => INDEX.test(part));
  if (indexed && from.value) throw malformedInput("Unexpected list element termination");
  if (indexed) return indexedItems(from);
  return from.children.size > 0 || from.value ? [from] : [];
}

/** Gaps close up: only the order of the indexes counts, so an index of any size costs nothing. */
function indexedItems(from: Parameter): Parameter[] {
  return [...from.children]
    .map(([part, item]) => {
      if (!INDEX.test(part)) throw malformedInput("Unexpected list element termination");
      return { index: Number(part), item };
    })
    .toSorted((a, b) => a.index - b.index)
    .map(({ item }) => item);
}

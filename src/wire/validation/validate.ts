import { memoise } from "../protocols/memo.ts";
import type { Constraints, Member, OperationModel, Shape, StructureShape } from "../schema/model.ts";
import { checksOf, elementWording } from "./rules.ts";
import { pathName, show } from "./show.ts";
import type { Violation } from "./violation.ts";

type Report = (violation: Violation) => void;
type Validator = (value: unknown, path: string, report: Report) => void;

const structureValidator = memoise(compileStructure);

/** Every rule of the operation's schema that `input` breaks: missing members, lengths, ranges, patterns, enums. */
export function findViolations(operation: OperationModel, input: object): readonly Violation[] {
  const violations: Violation[] = [];
  structureValidator(operation.input)(input, "", (violation) => violations.push(violation));
  return violations;
}

function compileStructure(shape: StructureShape): Validator {
  const members = [...shape.members.values()].map(compileMember);
  return (value, path, report) => {
    const source = value as Readonly<Record<string, unknown>>;
    for (const check of members) check(source, path, report);
  };
}

function compileMember(
  member: Member,
): (source: Readonly<Record<string, unknown>>, path: string, report: Report) => void {
  const { name, required, shape } = member;
  const own = pathName(name);
  const validate = compileValue(shape, member.constraints);
  return (source, parent, report) => {
    const value = source[name];
    if (value === undefined || value === null) {
      if (required)
        report({
          path: parent + own,
          value,
          shown: "null",
          rule: { kind: "required" },
          wording: "Member must not be null",
        });
    } else if (validate !== undefined) validate(value, parent + own, report);
  };
}

/** `undefined` where the value can break no rule, so that most members cost nothing. */
function compileValue(shape: Shape, constraints: Constraints | undefined): Validator | undefined {
  const parts: Validator[] = [];
  for (const { rule, wording, broken } of constraints === undefined ? [] : checksOf(shape, constraints))
    parts.push((value, path, report) => {
      if (broken(value)) report({ path, value, shown: show(value, shape), rule, wording });
    });
  const inner = compileInner(shape, constraints);
  if (inner !== undefined) parts.push(inner);
  const [first] = parts;
  if (parts.length <= 1) return first;
  return (value, path, report) => {
    for (const part of parts) part(value, path, report);
  };
}

function compileInner(shape: Shape, constraints: Constraints | undefined): Validator | undefined {
  switch (shape.kind) {
    case "structure":
    case "union":
      // Compiled when it is first met: structures may hold themselves.
      return (value, path, report) => structureValidator(shape)(value, `${path}.`, report);
    case "list":
      return combine(
        compileElements(
          shape,
          shape.member.shape,
          constraints?.member,
          (value) => value as readonly unknown[],
        ),
        eachEntry(compileNested(shape.member.shape, constraints?.member), (value) =>
          (value as readonly unknown[]).map((entry, index) => [`${index + 1}.member`, entry]),
        ),
      );
    case "map":
      return combine(
        combine(
          compileElements(shape, shape.key.shape, constraints?.key, (value) => Object.keys(value as object)),
          compileElements(shape, shape.value.shape, constraints?.value, (value) =>
            Object.values(value as object),
          ),
        ),
        eachEntry(compileNested(shape.value.shape, constraints?.value), (value) =>
          Object.entries(value as object).map(([key, entry]) => [`${key}.member`, entry]),
        ),
      );
    default:
      return undefined;
  }
}

/** Rules of a collection's elements; one breach is reported, for the collection as a whole. */
function compileElements(
  whole: Shape,
  element: Shape,
  constraints: Constraints | undefined,
  entriesOf: (value: unknown) => readonly unknown[],
): Validator | undefined {
  const checks = constraints === undefined ? [] : checksOf(element, constraints);
  if (checks.length === 0) return undefined;
  const wording = elementWording(checks, constraints?.nullable === true);
  return (value, path, report) => {
    if (entriesOf(value).some((entry) => entry !== null && checks.some(({ broken }) => broken(entry))))
      report({ path, value, shown: show(value, whole), rule: { kind: "elements" }, wording });
  };
}

/** Elements that have rules inside them: structures, lists and maps. */
function compileNested(shape: Shape, constraints: Constraints | undefined): Validator | undefined {
  return compileInner(shape, constraints);
}

function eachEntry(
  validate: Validator | undefined,
  entriesOf: (value: unknown) => readonly (readonly [step: string, entry: unknown])[],
): Validator | undefined {
  if (validate === undefined) return undefined;
  return (value, path, report) => {
    for (const [step, entry] of entriesOf(value))
      if (entry !== undefined && entry !== null) validate(entry, `${path}.${step}`, report);
  };
}

function combine(first: Validator | undefined, second: Validator | undefined): Validator | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (value, path, report) => {
    first(value, path, report);
    second(value, path, report);
  };
}

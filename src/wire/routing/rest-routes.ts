import { parseUriTemplate, splitPath } from "../protocols/rest/uri.ts";
import type { OperationModel, ServiceModel } from "../schema/model.ts";

/** Finds a REST service's operation. */
export interface RestRoutes {
  /** `parameters` asks for the query's names and values and is called only where the path leaves a choice. */
  find(
    method: string,
    path: string,
    parameters: () => ReadonlyMap<string, string>,
    headers: Readonly<Record<string, string | undefined>>,
  ): OperationModel | undefined;
}

interface Candidate {
  readonly operation: OperationModel;
  /** Names and values of the query that the operation's address has; the value is empty where any will do. */
  readonly address: readonly (readonly [name: string, value: string])[];
  /** Names of the query, and of headers, that its input cannot be without. */
  readonly parameters: readonly string[];
  readonly headers: readonly string[];
}

/** A node of the tree of path segments. */
interface Node {
  readonly literals: Map<string, Node>;
  label: Node | undefined;
  /** Operations whose path ends in a greedy label here. */
  readonly greedy: Candidate[];
  /** Operations whose path ends here. */
  readonly ends: Candidate[];
}

/** Recent clients name the operation in this parameter, which older ones leave out: it only decides between equals. */
const operationHint = "x-id";

/** Compiles a service's routes into one tree a method. */
export function compileRestRoutes(service: ServiceModel): RestRoutes {
  const trees = new Map<string, Node>();
  for (const operation of service.operations.values()) {
    if (operation.http === undefined) continue;
    let tree = trees.get(operation.http.method);
    if (tree === undefined) trees.set(operation.http.method, (tree = emptyNode()));
    insert(tree, operation, operation.http.uri);
  }
  for (const tree of trees.values()) sortCandidates(tree);
  return {
    find(method, path, parameters, headers) {
      const tree = trees.get(method);
      if (tree === undefined) return undefined;
      const segments = splitPath(path);
      const choose = (candidates: readonly Candidate[]): Candidate | undefined => {
        const addressed = mostAddressed(candidates, parameters);
        const [first] = addressed;
        // What it lacks is told by its validation: `DELETE /bucket?analytics` without an id is not DeleteBucket.
        if (
          first !== undefined &&
          (candidates.length === 1 || (addressed.length === 1 && first.address.length > 0))
        )
          return first;
        const whole = addressed.filter((candidate) => isWhole(candidate, parameters, headers));
        if (whole.length < 2) return whole[0];
        const hint = parameters().get(operationHint);
        return whole.find(({ operation }) => operation.name === hint) ?? whole[0];
      };
      const found = search(tree, segments, 0, choose);
      if (found !== undefined) return found.operation;
      // AWS takes a path with a slash at its end as the one without: boto3 asks for /2015-03-31/functions/.
      if (segments.length < 2 || segments.at(-1) !== "") return undefined;
      return search(tree, segments.slice(0, -1), 0, choose)?.operation;
    },
  };
}

function insert(tree: Node, operation: OperationModel, uri: string): void {
  const { segments, query } = parseUriTemplate(uri);
  const members = [...operation.input.members.values()].filter(({ required }) => required);
  const candidate: Candidate = {
    operation,
    address: query.filter(([name]) => name !== operationHint),
    parameters: members.flatMap(({ traits }) => (traits.httpQuery === undefined ? [] : [traits.httpQuery])),
    headers: members.flatMap(({ traits }) =>
      traits.httpHeader === undefined ? [] : [traits.httpHeader.toLowerCase()],
    ),
  };
  let node = tree;
  for (const segment of segments) {
    if (segment.kind === "greedy") {
      node.greedy.push(candidate);
      return;
    }
    if (segment.kind === "label") node = node.label ??= emptyNode();
    else {
      let next = node.literals.get(segment.text);
      if (next === undefined) node.literals.set(segment.text, (next = emptyNode()));
      node = next;
    }
  }
  node.ends.push(candidate);
}

/** Those that ask for most come first; one that asks for nothing takes what is left. */
function sortCandidates(node: Node): void {
  const demands = ({ address, parameters, headers }: Candidate): number =>
    (address.length + parameters.length) * 16 + headers.length;
  for (const candidates of [node.greedy, node.ends]) candidates.sort((a, b) => demands(b) - demands(a));
  for (const next of node.literals.values()) sortCandidates(next);
  if (node.label !== undefined) sortCandidates(node.label);
}

/** Literals win over labels, and labels over a greedy label. */
function search(
  node: Node,
  segments: readonly string[],
  at: number,
  choose: (candidates: readonly Candidate[]) => Candidate | undefined,
): Candidate | undefined {
  const segment = segments[at];
  if (segment === undefined) return choose(node.ends);
  const literal = node.literals.get(segment);
  const found = literal === undefined ? undefined : search(literal, segments, at + 1, choose);
  if (found !== undefined) return found;
  if (segment !== "" && node.label !== undefined) {
    const labelled = search(node.label, segments, at + 1, choose);
    if (labelled !== undefined) return labelled;
  }
  const restIsEmpty = segment === "" && at === segments.length - 1;
  return node.greedy.length === 0 || restIsEmpty ? undefined : choose(node.greedy);
}

/** Those whose address the query has, and of these the ones that have most of it in theirs. */
function mostAddressed(
  candidates: readonly Candidate[],
  parameters: () => ReadonlyMap<string, string>,
): readonly Candidate[] {
  const addressed = candidates.filter(({ address }) =>
    address.every(([name, value]) =>
      value === "" ? parameters().has(name) : parameters().get(name) === value,
    ),
  );
  if (addressed.length < 2) return addressed;
  const most = Math.max(...addressed.map(({ address }) => address.length));
  return addressed.filter(({ address }) => address.length === most);
}

function isWhole(
  candidate: Candidate,
  parameters: () => ReadonlyMap<string, string>,
  headers: Readonly<Record<string, string | undefined>>,
): boolean {
  return (
    candidate.headers.every((name) => headers[name] !== undefined) &&
    candidate.parameters.every((name) => parameters().has(name))
  );
}

function emptyNode(): Node {
  return { literals: new Map(), label: undefined, greedy: [], ends: [] };
}

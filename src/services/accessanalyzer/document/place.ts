import type { PathElement } from "@aws-sdk/client-accessanalyzer";
import type { JsonNode } from "./json.ts";

/** A value of a document, and the way to it from the top. */
export interface Place {
  readonly node: JsonNode;
  readonly path: readonly PathElement[];
}

/** A string of a document. */
export interface Text extends Place {
  readonly text: string;
}

/** A member of an object: the place of its value, and that of its name. */
export interface MemberPlace extends Place {
  readonly name: string;
  readonly key: Place;
}

export function membersOf({ node, path }: Place): readonly MemberPlace[] {
  if (node.kind !== "object") return [];
  return node.members.map(({ key, value }) => ({
    name: key.value,
    node: value,
    path: [...path, { value: key.value }],
    key: { node: key, path: [...path, { key: key.value }] },
  }));
}

/** The member of a name; the last one where several have it, as JSON readers take it. */
export function memberOf(place: Place, name: string): MemberPlace | undefined {
  return membersOf(place).findLast((member) => member.name === name);
}

/** The elements of an array; of anything else, itself: documents may write one as itself. */
export function elementsOf({ node, path }: Place): readonly Place[] {
  if (node.kind !== "array") return [{ node, path }];
  return node.elements.map((element, index) => ({ node: element, path: [...path, { index }] }));
}

export function isText(place: Place): place is Place & { readonly node: { readonly kind: "string" } } {
  return place.node.kind === "string";
}

/** The strings among a value's elements. */
export function textsOf(place: Place): readonly Text[] {
  return elementsOf(place).flatMap((element) =>
    element.node.kind === "string" ? [{ ...element, text: element.node.value }] : [],
  );
}

export function isEmptyArray({ node }: Place): boolean {
  return node.kind === "array" && node.elements.length === 0;
}

/** A string, number or truth value as text; nothing for all else. */
export function textOf({ node }: Place): string {
  return "value" in node ? String(node.value) : "";
}

/** A value as JSON writes it. */
export function valueOf(node: JsonNode): unknown {
  if (node.kind === "array") return node.elements.map(valueOf);
  if (node.kind === "object")
    return Object.fromEntries(node.members.map(({ key, value }) => [key.value, valueOf(value)]));
  return node.value;
}

import type { ListShape, MapShape, Member, Shape, StructureShape, Traits } from "../../schema/model.ts";
import { MalformedXml } from "./parse.ts";
import type { XmlElement } from "./parse.ts";
import { readScalar } from "./scalars.ts";
import { elementName } from "./write.ts";

/**
 * Reads the `members` of a structure from its element. Elements that no member is named after are ignored, as AWS does
 * for newer clients. Throws MalformedXml where a value does not fit its member.
 */
export function readMembers(members: Iterable<Member>, from: XmlElement): Record<string, unknown> {
  refuseText(from);
  const byName = new Map<string, XmlElement[]>();
  for (const child of from.children) {
    const same = byName.get(child.name);
    if (same === undefined) byName.set(child.name, [child]);
    else same.push(child);
  }
  const value: Record<string, unknown> = {};
  for (const member of members) {
    const name = elementName(member);
    const read =
      member.traits.xmlAttribute === true
        ? readAttribute(member, from.attributes.get(name))
        : readMember(member, byName.get(name));
    if (read !== undefined) value[member.name] = read;
  }
  return value;
}

/** Reads an element as the whole value of `shape`. */
export function readValue(shape: Shape, traits: Traits, from: XmlElement): unknown {
  switch (shape.kind) {
    case "structure":
    case "union":
      return readStructure(shape, from);
    case "list":
      return readItems(shape, childrenOf(from, shape.member.traits.xmlName ?? "member"));
    case "map":
      return readEntries(shape, childrenOf(from, "entry"));
    default: {
      if (from.children.length > 0) throw new MalformedXml(`${from.name} holds elements instead of a value`);
      // White space round anything but a string is layout (XML Schema 1.1, part 2: whiteSpace is "collapse").
      const text = shape.kind === "string" ? from.text : from.text.trim();
      const value = readScalar(shape, traits, text);
      if (value === undefined) throw new MalformedXml(`${from.name} is not a ${shape.kind}`);
      return value;
    }
  }
}

function readStructure(shape: StructureShape, from: XmlElement): Record<string, unknown> {
  const value = readMembers(shape.members.values(), from);
  if (shape.kind === "union" && Object.keys(value).length > 1)
    throw new MalformedXml(`${from.name} holds more than one of its alternatives`);
  return value;
}

function readAttribute(member: Member, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  return readValue(member.shape, member.traits, {
    name: elementName(member),
    attributes: new Map(),
    children: [],
    text,
  });
}

function readMember(member: Member, elements: readonly XmlElement[] | undefined): unknown {
  const [first] = elements ?? [];
  if (elements === undefined || first === undefined) return undefined;
  const { shape, traits } = member;
  if (traits.xmlFlattened === true && shape.kind === "list") return readItems(shape, elements);
  if (traits.xmlFlattened === true && shape.kind === "map") return readEntries(shape, elements);
  if (elements.length > 1) throw new MalformedXml(`${first.name} stands more than once`);
  return readValue(shape, traits, first);
}

function readItems(shape: ListShape, items: readonly XmlElement[]): unknown[] {
  return items.map((item) => readValue(shape.member.shape, shape.member.traits, item));
}

function readEntries(shape: MapShape, entries: readonly XmlElement[]): Record<string, unknown> {
  // Built from entries, so that a key such as `__proto__` is a key like any other.
  return Object.fromEntries(
    entries.map((entry) => {
      const key = onlyChild(entry, shape.key.traits.xmlName ?? "key");
      const value = onlyChild(entry, shape.value.traits.xmlName ?? "value");
      return [
        String(readValue(shape.key.shape, shape.key.traits, key)),
        readValue(shape.value.shape, shape.value.traits, value),
      ];
    }),
  );
}

function childrenOf(from: XmlElement, name: string): readonly XmlElement[] {
  refuseText(from);
  return from.children.filter((child) => child.name === name);
}

function onlyChild(from: XmlElement, name: string): XmlElement {
  const [child, ...more] = childrenOf(from, name);
  if (child === undefined || more.length > 0)
    throw new MalformedXml(`${from.name} needs exactly one ${name}`);
  return child;
}

function refuseText(from: XmlElement): void {
  if (from.text.trim() !== "") throw new MalformedXml(`${from.name} holds text instead of elements`);
}

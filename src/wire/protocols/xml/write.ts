import type { ListShape, MapShape, Member, Shape, StructureShape, Traits } from "../../schema/model.ts";
import { formatScalar, isSimple } from "./scalars.ts";

/** `<?xml …?>` as S3, EC2 and SQS send it. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};
// oxlint-disable-next-line no-control-regex -- line ends, which a reader would normalise, and control characters
const SPECIAL = /[&<>"'\u0000-\u001F\u007F-\u0084\u0085\u0086-\u009F\u2028\uFFFE\uFFFF]/g;

/**
 * Escapes text for elements and attributes. Control characters become references even where XML 1.0 has none for them,
 * as S3 does (API reference, ListObjectsV2: "some characters aren't supported by XML 1.0", hence EncodingType=url).
 */
export function escapeXml(text: string): string {
  return text.replace(SPECIAL, (character) => ESCAPES[character] ?? `&#x${hexOf(character)};`);
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase();
}

/** `<name attributes>content</name>`; `attributes` begins with a space or is empty. */
export function element(name: string, content: string, attributes = ""): string {
  return content === "" ? `<${name}${attributes}/>` : `<${name}${attributes}>${content}</${name}>`;
}

/** The attribute that declares a default namespace, or nothing where there is none. */
export function xmlns(uri: string | undefined): string {
  return uri === undefined ? "" : ` xmlns="${escapeXml(uri)}"`;
}

/** The name of a structure member's element. */
export function elementName(member: Member): string {
  return member.traits.xmlName ?? member.name;
}

/** Writes those `members` that `value` holds; `undefined` and `null` are left out. */
export function writeMembers(members: Iterable<Member>, value: object): string {
  let xml = "";
  for (const member of members) {
    const held = (value as Readonly<Record<string, unknown>>)[member.name];
    if (held === undefined || held === null || member.traits.xmlAttribute === true) continue;
    xml += writeMember(elementName(member), member, held);
  }
  return xml;
}

/** Writes a whole structure as the element `name`. */
export function writeStructure(
  name: string,
  shape: StructureShape,
  traits: Traits,
  value: unknown,
  namespace = namespaceOf(traits),
): string {
  const held = objectOf(shape, value);
  return element(name, writeMembers(shape.members.values(), held), namespace + attributesOf(shape, held));
}

function writeMember(name: string, member: Member, value: unknown): string {
  const { shape, traits } = member;
  if (shape.kind === "list") return writeList(name, shape, traits, value);
  if (shape.kind === "map") return writeMap(name, shape, traits, value);
  return writeValue(name, shape, traits, value);
}

/** A value in exactly one element: a simple one, a structure, or the element of a list or map that holds another. */
function writeValue(name: string, shape: Shape, traits: Traits, value: unknown): string {
  switch (shape.kind) {
    case "structure":
    case "union":
      return writeStructure(name, shape, traits, value);
    case "list":
      return element(name, writeItems(itemName(shape), shape, value), namespaceOf(traits));
    case "map":
      return element(name, writeEntries("entry", shape, value), namespaceOf(traits));
    default:
      return element(name, escapeXml(formatScalar(shape, traits, value)), namespaceOf(traits));
  }
}

function writeList(name: string, shape: ListShape, traits: Traits, value: unknown): string {
  return traits.xmlFlattened === true
    ? writeItems(name, shape, value)
    : writeValue(name, shape, traits, value);
}

function writeMap(name: string, shape: MapShape, traits: Traits, value: unknown): string {
  return traits.xmlFlattened === true
    ? writeEntries(name, shape, value)
    : writeValue(name, shape, traits, value);
}

function itemName(shape: ListShape): string {
  return shape.member.traits.xmlName ?? "member";
}

function writeItems(name: string, shape: ListShape, value: unknown): string {
  if (!Array.isArray(value)) throw new TypeError(`${shape.name} cannot be written from ${typeof value}`);
  let xml = "";
  for (const item of value as readonly unknown[]) {
    if (item === undefined || item === null) continue;
    xml += writeValue(name, shape.member.shape, shape.member.traits, item);
  }
  return xml;
}

function writeEntries(name: string, shape: MapShape, value: unknown): string {
  let xml = "";
  for (const [key, held] of Object.entries(objectOf(shape, value))) {
    if (held === undefined || held === null) continue;
    const keyXml = writeValue(shape.key.traits.xmlName ?? "key", shape.key.shape, shape.key.traits, key);
    const valueXml = writeValue(
      shape.value.traits.xmlName ?? "value",
      shape.value.shape,
      shape.value.traits,
      held,
    );
    xml += element(name, keyXml + valueXml);
  }
  return xml;
}

function attributesOf(shape: StructureShape, value: object): string {
  let attributes = "";
  for (const member of shape.members.values()) {
    const held = (value as Readonly<Record<string, unknown>>)[member.name];
    if (member.traits.xmlAttribute !== true || held === undefined || held === null) continue;
    if (!isSimple(member.shape)) throw new TypeError(`${member.name} cannot be an attribute`);
    attributes += ` ${elementName(member)}="${escapeXml(formatScalar(member.shape, member.traits, held))}"`;
  }
  return attributes;
}

function namespaceOf(traits: Traits): string {
  if (traits.xmlNamespace === undefined) return "";
  const [prefix, uri] = traits.xmlNamespace;
  return prefix === "" ? xmlns(uri) : ` xmlns:${prefix}="${escapeXml(uri)}"`;
}

function objectOf(shape: Shape, value: unknown): object {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`${shape.name} cannot be written from ${typeof value}`);
  return value;
}

import type { Shape } from "../schema/model.ts";

/** Coral, the framework behind most of AWS's services, names members in lower camel case: `kMSKeyArn`. */
export function pathName(member: string): string {
  return member.charAt(0).toLowerCase() + member.slice(1);
}

/** A value as AWS's messages show it, which is what its Java form prints: `[a, b]`, `Tag(key=a, value=null)`. */
export function show(value: unknown, shape: Shape): string {
  if (value === undefined || value === null) return "null";
  switch (shape.kind) {
    case "list":
      return `[${Array.from(value as Iterable<unknown>, (entry) => show(entry, shape.member.shape)).join(", ")}]`;
    case "map":
      return `{${Object.entries(value)
        .map(([key, entry]) => `${key}=${show(entry, shape.value.shape)}`)
        .join(", ")}}`;
    case "structure":
    case "union": {
      const source = value as Readonly<Record<string, unknown>>;
      const members = Array.from(
        shape.members.values(),
        (member) => `${pathName(member.name)}=${show(source[member.name], member.shape)}`,
      );
      return `${shape.name}(${members.join(", ")})`;
    }
    case "blob":
      return "java.nio.HeapByteBuffer";
    case "timestamp":
      return value instanceof Date ? value.toISOString() : "null";
    default:
      return typeof value === "string" ? value : JSON.stringify(value);
  }
}

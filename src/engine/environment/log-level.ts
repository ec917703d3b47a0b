import type { LoggingSpec } from "../contract.ts";

type Level = NonNullable<LoggingSpec["applicationLevel"]>;

/** Least urgent first, with the names that the languages' own loggers have for them. */
const NAMES: readonly (readonly [Level, ...string[]])[] = [
  ["TRACE"],
  ["DEBUG"],
  ["INFO"],
  ["WARN", "WARNING"],
  ["ERROR"],
  ["FATAL", "CRITICAL"],
];

/**
 * Whether a line that a function logs is urgent enough for its log: one in JSON tells its level ("Log-level filtering"
 * of the developer guide). Runtimes that have a logger filter by themselves; this is for what is printed.
 * @returns undefined where every line is
 */
export function levelFilter({
  format,
  applicationLevel,
}: LoggingSpec): ((line: string) => boolean) | undefined {
  if (format !== "JSON" || applicationLevel === undefined || applicationLevel === "TRACE") return undefined;
  const least = NAMES.findIndex(([level]) => level === applicationLevel);
  const below = new Set(NAMES.slice(0, least).flat());
  // Nearly no line has such a member, so nearly none is parsed.
  const suspect = new RegExp(`"level"\\s*:\\s*"(?:${[...below].join("|")})"`, "i");
  return (line) => !(line.startsWith("{") && suspect.test(line) && below.has(levelOf(line) ?? ""));
}

function levelOf(line: string): string | undefined {
  try {
    const { level } = JSON.parse(line) as { readonly level?: unknown };
    return typeof level === "string" ? level.toUpperCase() : undefined;
  } catch {
    return undefined;
  }
}

import { table } from "../../output.ts";
import { printable } from "../../printable.ts";
import { addCost, type BilledLine, type Cost, gbSeconds, noCost } from "./bill.ts";

export type Grouping = "function" | "day" | "month";

/** What lines of one function, day or month come to. */
export interface Group {
  readonly function?: string;
  readonly period?: string;
  readonly account: string;
  readonly region: string;
  readonly requests: number;
  readonly billedMs: number;
  /** The part of it that inits took. */
  readonly coldMs: number;
  /** On demand, and of provisioned environments: while they were asked for, and running. */
  readonly gbSeconds: number;
  readonly provisionedGbSeconds: number;
  readonly provisionedRunGbSeconds: number;
  readonly storageGbSeconds: number;
  readonly streamedBytes: number;
  readonly cost: Cost;
}

/** Adds lines up, each account and region by itself. */
export function groups(
  lines: readonly BilledLine[],
  by: Grouping,
): { readonly rows: readonly Group[]; readonly total: Group } {
  const found = new Map<string, Group>();
  for (const line of lines) {
    const { account, region, period, function: name } = line.usage;
    const first = by === "function" ? { function: name } : { period };
    const key = [Object.values(first)[0], account, region].join("\n");
    found.set(key, add(found.get(key) ?? { ...first, ...empty(account, region) }, line));
  }
  const rows = [...found.values()];
  if (by === "function") rows.sort((a, b) => b.cost.total - a.cost.total);
  return { rows, total: lines.reduce(add, empty("", "")) };
}

function empty(account: string, region: string): Group {
  return {
    account,
    region,
    requests: 0,
    billedMs: 0,
    coldMs: 0,
    gbSeconds: 0,
    provisionedGbSeconds: 0,
    provisionedRunGbSeconds: 0,
    storageGbSeconds: 0,
    streamedBytes: 0,
    cost: noCost,
  };
}

function add(group: Group, { usage, cost }: BilledLine): Group {
  return {
    ...group,
    requests: group.requests + usage.requests,
    billedMs: group.billedMs + usage.billedMs,
    coldMs: group.coldMs + usage.coldMs,
    gbSeconds: group.gbSeconds + gbSeconds(usage.computeMbMs),
    provisionedGbSeconds: group.provisionedGbSeconds + gbSeconds(usage.reservedMbMs),
    provisionedRunGbSeconds: group.provisionedRunGbSeconds + gbSeconds(usage.provisionedMbMs),
    storageGbSeconds: group.storageGbSeconds + gbSeconds(usage.storageMbMs),
    streamedBytes: group.streamedBytes + usage.streamedBytes,
    cost: addCost(group.cost, cost),
  };
}

interface Column {
  readonly name: string;
  readonly cell: (group: Group) => string;
  /** Whether it is worth its room. */
  readonly shown?: (total: Group) => boolean;
}

/** A line of names, one a group, and the total. @param width of the terminal, where it is one */
export function sheet(lines: readonly BilledLine[], by: Grouping, width: number | undefined): string[] {
  const { rows, total } = groups(lines, by);
  const several = (of: (group: Group) => string) => new Set(rows.map(of)).size > 1;
  const columns: readonly Column[] = [
    { name: by, cell: ({ function: name, period }) => printable(name ?? period ?? "") },
    {
      name: "account",
      cell: ({ account }) => printable(account),
      shown: () => several((row) => row.account),
    },
    { name: "region", cell: ({ region }) => printable(region), shown: () => several((row) => row.region) },
    { name: "invocations", cell: ({ requests }) => whole(requests) },
    { name: "billed ms", cell: ({ billedMs }) => whole(billedMs) },
    { name: "of it init", cell: ({ coldMs }) => whole(coldMs), shown: ({ coldMs }) => coldMs > 0 },
    {
      name: "GB-s",
      cell: (group) => amount(group.gbSeconds + group.provisionedRunGbSeconds),
    },
    {
      name: "provisioned GB-s",
      cell: (group) => amount(group.provisionedGbSeconds),
      shown: (all) => all.provisionedGbSeconds > 0,
    },
    { name: "compute", cell: ({ cost }) => dollars(cost.compute) },
    { name: "requests", cell: ({ cost }) => dollars(cost.requests) },
    ...(["provisioned", "storage", "streaming"] as const).map((name): Column => ({
      name,
      cell: ({ cost }) => dollars(cost[name]),
      shown: ({ cost }) => cost[name] > 0,
    })),
    { name: "cost", cell: ({ cost }) => dollars(cost.total) },
  ];
  const kept = columns.filter(({ shown }) => shown?.(total) ?? true);
  const cells = [...rows, total].map((group) => kept.map(({ cell }) => cell(group)));
  const last = cells.at(-1);
  if (last !== undefined) last[0] = "total";
  const names = kept.map(({ name }) => name);
  return table(aligned([names, ...cells]), width);
}

/** Numbers end where those above them end; the first column is text. */
function aligned(rows: readonly string[][]): string[][] {
  const widths = (rows[0] ?? []).map((_name, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => row.map((cell, at) => (at === 0 ? cell : cell.padStart(widths[at] ?? 0))));
}

function whole(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

function amount(number: number): string {
  const digits = number >= 100 ? 0 : number >= 1 ? 1 : 3;
  return number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** To a cent, or two digits of what is less. */
export function dollars(cost: number): string {
  if (cost === 0) return "$0";
  const digits = cost >= 1 ? 2 : Math.min(12, Math.max(4, 1 - Math.floor(Math.log10(cost))));
  return `$${cost.toLocaleString("en-US", { minimumFractionDigits: digits >= 4 ? 0 : 2, maximumFractionDigits: digits })}`;
}

import type { DocumentKey } from "#storage/documents";
import { isMembers, readWidgetMetrics, type WidgetProblem } from "./query/widget.ts";

export interface DashboardDocument {
  readonly name: string;
  /** The JSON text as it came. */
  readonly body: string;
  /** Epoch milliseconds. */
  readonly modifiedAt: number;
}

/** Dashboards belong to an account, not to a region. */
export function dashboardKey(account: string, name: string): DocumentKey {
  return [...dashboardsPrefix(account), name];
}

export function dashboardsPrefix(account: string) {
  return [account, "global", "dashboard"] as const;
}

export function dashboardArn(account: string, name: string): string {
  return `arn:aws:cloudwatch::${account}:dashboard/${name}`;
}

const TYPES: ReadonlySet<unknown> = new Set(["metric", "text", "log", "alarm", "custom", "explorer"]);
const MAX_WIDGETS = 500;

/** What is wrong with a dashboard's body; `undefined` where it is not even an object of JSON. */
export function checkDashboard(body: string): readonly WidgetProblem[] | undefined {
  let dashboard: unknown;
  try {
    dashboard = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (!isMembers(dashboard)) return undefined;
  const { widgets } = dashboard;
  if (!Array.isArray(widgets)) return [{ path: "/widgets", message: "Should be an array" }];
  if (widgets.length > MAX_WIDGETS)
    return [{ path: "/widgets", message: `Should have at most ${MAX_WIDGETS} widgets` }];
  return widgets.flatMap((widget: unknown, index) => checkWidget(widget, `/widgets/${index}`));
}

function checkWidget(widget: unknown, path: string): readonly WidgetProblem[] {
  if (!isMembers(widget)) return [{ path, message: "Should be an object" }];
  const problems: WidgetProblem[] = [];
  const { type, properties } = widget;
  if (!TYPES.has(type))
    problems.push({ path: `${path}/type`, message: `Should be one of ${[...TYPES].join(", ")}` });
  for (const [name, least, most] of [
    ["x", 0, 23],
    ["y", 0, Infinity],
    ["width", 1, 24],
    ["height", 1, 1000],
  ] as const) {
    const value = widget[name];
    if (value !== undefined && !(typeof value === "number" && value >= least && value <= most))
      problems.push({ path: `${path}/${name}`, message: `Should be a number from ${least} to ${most}` });
  }
  if (!isMembers(properties))
    return [...problems, { path: `${path}/properties`, message: "Should be an object" }];
  if (type === "text" && typeof properties["markdown"] !== "string")
    problems.push({ path: `${path}/properties/markdown`, message: "Should be a text" });
  if (type !== "metric") return problems;
  const { metrics, annotations } = properties;
  if (metrics === undefined && annotations === undefined)
    problems.push({ path: `${path}/properties`, message: "Should have metrics or annotations" });
  if (metrics === undefined) return problems;
  const defaults = { period: 300, stat: "Average" };
  return [...problems, ...readWidgetMetrics(metrics, defaults, `${path}/properties/metrics`).problems];
}

import type { Output } from "../../command.ts";
import { duration } from "../../duration.ts";
import { clip, printable, printableLines } from "../../printable.ts";
import type { Span } from "../traces/spans.ts";
import { waterfall } from "../traces/waterfall.ts";
import { lineOf } from "./log-line.ts";
import type { LogEvent, Report } from "./request.ts";
import type { FoundRequest } from "./search.ts";

/** Lines of the log that are told; `thaw logs` tells the others. */
const MOST_LINES = 60;

/** Of an error's message on its own line: it may be a whole document. */
const MOST_TITLE = 300;

const METER = 20;

/** By so much the sum of two of REPORT's durations may be over what they were. */
const ROUNDED_MS = 0.02;

/** What there is to say about a request. */
export interface Account {
  readonly functionName: string;
  readonly timeoutMs: number | undefined;
  readonly found: FoundRequest;
  readonly traceId: string | undefined;
  /** Undefined where it is not traced, or its trace is told already. */
  readonly spans: readonly Span[] | undefined;
}

/** All of a request, to be read: its error, its time and memory against their limits, its log, its trace. */
export function tell(account: Account, out: Output): string[] {
  const { request } = account.found;
  const { failure, report, version, requestId, startedAt } = request;
  const name = printable(account.functionName);
  const head =
    failure === undefined
      ? `${out.bold(name)} ${report === undefined ? out.bold("has not ended") : out.green("succeeded")}`
      : `${out.bold(name)} ${out.red(`failed: ${titleOf(failure.type, failure.message)}`)}`;
  const lines = [
    head,
    out.dim(
      printable(
        `request ${requestId}${version === undefined ? "" : `, version ${version}`}, ${new Date(startedAt).toISOString()}`,
      ),
    ),
  ];
  const stack = failure?.stack.flatMap((line) => printableLines(line)) ?? [];
  if (stack.length > 0) lines.push("", out.bold("Stack"), ...stack.map((line) => `  ${line}`));
  if (report !== undefined) lines.push("", out.bold("Limits"), ...limits(report, account.timeoutMs, out));
  lines.push("", out.bold("Log"), ...logLines(request.lines, startedAt, out));
  if (account.spans !== undefined && account.spans.length > 0)
    lines.push(
      "",
      `${out.bold("Trace")} ${out.dim(printable(account.traceId ?? ""))}`,
      ...waterfall(account.spans, indented(out)).map((line) => `  ${line}`),
    );
  return lines;
}

/** The same for other programs. */
export function accountJson({ functionName, timeoutMs, found, traceId }: Account): object {
  const { request, group, stream } = found;
  const { requestId, version, startedAt, report, failure, lines } = request;
  return {
    function: functionName,
    requestId,
    version,
    time: new Date(startedAt).toISOString(),
    failed: failure !== undefined,
    error: failure,
    report,
    timeoutMs,
    traceId,
    logGroup: group,
    logStream: stream,
    log: lines.map(({ time, message }) => ({ time: new Date(time).toISOString(), message })),
  };
}

function titleOf(type: string, message: string): string {
  const title = [type, message].filter((part) => part !== "").join(": ");
  return clip(printable(title), MOST_TITLE);
}

function limits(report: Report, timeoutMs: number | undefined, out: Output): string[] {
  const { durationMs, billedMs, memoryMb, usedMb, initMs, restoreMs } = report;
  const rows = [
    timeoutMs === undefined
      ? `  time    ${duration(durationMs)}`
      : `  time    ${meter(durationMs / timeoutMs, out)}  ${duration(durationMs)} of ${duration(timeoutMs)}`,
    `  memory  ${meter(memoryMb === 0 ? 0 : usedMb / memoryMb, out)}  ${usedMb} of ${memoryMb} MB`,
  ];
  // A provisioned environment's init is told by its first request, but not billed with it.
  const ahead = initMs !== undefined && billedMs < durationMs + initMs - ROUNDED_MS;
  if (ahead) rows.push(`  initialised ahead, in ${duration(initMs)}`);
  else if (initMs !== undefined) rows.push(`  cold start: its init took ${duration(initMs)}`);
  if (restoreMs !== undefined) rows.push(`  cold start: its restore took ${duration(restoreMs)}`);
  rows.push(`  billed  ${billedMs.toLocaleString("en-US")} ms`);
  return rows;
}

/** Red where hardly anything of the limit was left. */
function meter(share: number, out: Output): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * METER);
  const bar = `${"█".repeat(full)}${"░".repeat(METER - full)}`;
  return share >= 0.95 ? out.red(bar) : bar;
}

function logLines(events: readonly LogEvent[], startedAt: number, out: Output): string[] {
  const lines = events.flatMap(({ time, message }) => {
    const [first = "", ...others] = printableLines(lineOf(message));
    const at = `${time < startedAt ? "-" : "+"}${duration(Math.abs(time - startedAt))}`.padStart(10);
    const shown = [`${out.dim(at)}  ${first}`, ...others.map((line) => `${" ".repeat(12)}${line}`)];
    return shown.filter((line) => line.trim() !== "");
  });
  if (lines.length === 0) return [`  ${out.dim("nothing was logged")}`];
  const skipped = lines.length - MOST_LINES;
  return skipped <= 0 ? lines : [`  ${out.dim(`… ${skipped} lines before`)}`, ...lines.slice(-MOST_LINES)];
}

function indented(out: Output): Output {
  const { width } = out;
  return width === undefined ? out : { ...out, width: width - 2 };
}

import type { Clock } from "#core/clock";
import type { Ingestion } from "#services/logs/ingestion";
import { groupArn } from "#services/logs/store";
import type { RoleOwner } from "#services/lambda/names";
import type { LogWriter, SinkLine } from "#telemetry/log-sink";
import type { PlatformLog } from "#telemetry/platform-log";
import type { Authoriser } from "#wire/authorisation/authorise";
import type { Answered, Asking, AuthorisationMode, Question } from "#wire/authorisation/types";

type Operation = "CreateLogGroup" | "CreateLogStream" | "PutLogEvents";

export interface LogGateOptions {
  readonly ingestion: Ingestion;
  readonly authoriser: Pick<Authoriser, "decide" | "refusal">;
  /** Another object whenever anything of an account's IAM has changed. */
  readonly revisionOf: (account: string) => object;
  readonly mode: AuthorisationMode;
  /** Asks as a function's role, as the function. */
  readonly asking: (owner: RoleOwner, region: string) => Asking;
  /** Told of what is asked for, every few seconds for an environment that writes. */
  readonly onCall: (operation: string, action: string, asking: Asking) => void;
  /** Told once for a function and permission, as its use is. */
  readonly onUse: (answered: Answered) => void;
  readonly clock: Clock;
  readonly log: Pick<PlatformLog, "warn">;
}

/** How long an answer counts while IAM stays the same: conditions may ask for the time, or for a log group's tags. */
const DECIDED_MS = 10_000;

type Missing = ReturnType<Ingestion["missing"]>;

/** What was decided for one environment. */
interface Decided {
  readonly revision: object;
  readonly missing: Missing;
  /** Epoch milliseconds. */
  readonly until: number;
  readonly kept: boolean;
}

/** Beyond this many functions, answers are told of anew. */
const KEPT_FUNCTIONS = 20_000;

const ACTIONS: Readonly<Record<Operation, string>> = {
  CreateLogGroup: "logs:CreateLogGroup",
  CreateLogStream: "logs:CreateLogStream",
  PutLogEvents: "logs:PutLogEvents",
};

/** Lambda writes a function's log as its execution role, as in AWS: where that may not, there is none. */
export interface LogGate {
  /** Makes the log group and the stream of lines as far as the role may; false where the lines may not be kept. */
  admit(first: SinkLine): Promise<boolean>;
  /** Forgets what was told of functions that are gone. @param arns unqualified */
  forget(arns: ReadonlySet<string>): void;
  /** Forgets what was told of, after the storage was emptied. */
  reset(): void;
}

export function createLogGate(options: LogGateOptions): LogGate {
  const { ingestion, authoriser, revisionOf, mode, onCall, onUse, clock, log } = options;
  /** The last answers for each function, its role and a permission: only another one is told of. */
  const answers = new Map<string, Map<string, boolean>>();
  const decided = new WeakMap<LogWriter, Decided>();

  function may(operation: Operation, { group, stream, region, writer }: SinkLine, asking: Asking): boolean {
    const action = ACTIONS[operation];
    onCall(operation, action, asking);
    const arn = groupArn({ account: asking.account, region }, group);
    const onStream = operation === "PutLogEvents" ? stream : "";
    const question: Question = { action, resource: `${arn}:log-stream:${onStream}` };
    const decision = authoriser.decide("logs", question, asking);
    const { allowed } = decision;
    let own = answers.get(writer.arn);
    if (own === undefined) {
      if (answers.size >= KEPT_FUNCTIONS) answers.clear();
      answers.set(writer.arn, (own = new Map()));
    }
    const key = `${writer.roleArn}\n${action}`;
    if (own.get(key) !== allowed) {
      own.set(key, allowed);
      const { principal, receivedAt: time } = asking;
      // A policy that names one stream would be of no use to the next environment.
      const used = { action, resource: `${arn}:*` };
      if (allowed) onUse({ service: "logs", operation, principal, region, time, question: used, decision });
      else {
        authoriser.refusal("logs", operation, [question], asking);
        if (mode === "enforce")
          log.warn(
            { function: writer.arn, role: writer.roleArn, action, resource: question.resource },
            `the log of ${writer.name} is not kept: its role may not ${action} (policy AWSLambdaBasicExecutionRole lets it)`,
          );
      }
    }
    return allowed || mode !== "enforce";
  }

  /** Asks for all that the lines need. @returns whether they may be kept */
  async function decide(first: SinkLine, missing: Missing): Promise<boolean> {
    const { account, region, group, stream, time, writer } = first;
    const asking = options.asking(writer, region);
    if (missing === "group" && !may("CreateLogGroup", first, asking)) return false;
    if (missing !== undefined && !may("CreateLogStream", first, asking)) {
      if (missing === "group") await ingestion.ensureGroup({ account, region }, group);
      return false;
    }
    const kept = may("PutLogEvents", first, asking);
    if (kept || missing !== undefined) await ingestion.ensureStream(account, region, group, stream, time);
    return kept;
  }

  async function admit(first: SinkLine): Promise<boolean> {
    const { account, region, group, stream, time, writer } = first;
    if (mode === "off") {
      await ingestion.ensureStream(account, region, group, stream, time);
      return true;
    }
    const scope = { account, region };
    const missing = ingestion.missing(scope, group, stream);
    const revision = revisionOf(account);
    const now = clock.now();
    const known = decided.get(writer);
    if (known?.revision === revision && known.missing === missing && known.until > now) {
      // What is missing may not be made: else it would be there.
      if (known.kept) await ingestion.noteLateness(scope, group, stream, time);
      return known.kept;
    }
    const kept = await decide(first, missing);
    decided.set(writer, { revision, missing: kept ? undefined : missing, until: now + DECIDED_MS, kept });
    return kept;
  }

  return {
    admit,
    forget(arns) {
      for (const arn of arns) answers.delete(arn);
    },
    reset: () => answers.clear(),
  };
}

import type { Principal } from "#core/principal";
import { VerdictCache } from "#policy/verdict-cache";
import { createLastUsed, type LastUsed } from "#services/iam/last-used";
import { createPrincipals, type Principals } from "#services/iam/principals";
import type { Assumable } from "#services/lambda/context";
import type { RoleMay } from "#services/lambda/role-permissions";
import type { UrlPermissions } from "#services/lambda/urls/authorise";
import type { Ingestion } from "#services/logs/ingestion";
import type { SinkLine } from "#telemetry/log-sink";
import { type Authoriser, createAuthoriser } from "#wire/authorisation/authorise";
import { createEncodedMessages, type EncodedMessages } from "#wire/authorisation/encoded-messages";
import type { Asking } from "#wire/authorisation/types";
import { PermissionUsage } from "#wire/authorisation/usage";
import type { ServiceDefinition } from "#wire/operation";
import { auditLog } from "./audit.ts";
import { derivedKey } from "./keys.ts";
import { createLogGate, type LogGate } from "./log-gate.ts";
import type { Shared } from "./shared.ts";

/** Who may do what, who has done what, and who was refused what. */
export interface Permissions {
  readonly principals: Principals;
  readonly lastUsed: LastUsed;
  readonly usage: PermissionUsage;
  readonly messages: EncodedMessages;
  /** The pipeline's step. @throws AwsError in the service's words where a permission is missing */
  readonly authorise: Authoriser["authorise"];
  readonly assumable: Assumable;
  readonly roleMay: RoleMay;
  /** Decides who may call functions' own addresses. */
  readonly urls: UrlPermissions;
  /** Makes the log group and the stream of lines as far as their function's role may; false where they may not be kept. */
  admit(first: SinkLine): Promise<boolean>;
  /** Takes the services that are asked about; until then, nothing can be asked. */
  connect(services: readonly ServiceDefinition[]): void;
  /** What was asked for and refused since the platform was started, as `/_thaw/permissions` tells it. */
  report(): object;
  /** Lets go of what it holds of functions that are gone. @param arns unqualified */
  forget(arns: ReadonlySet<string>): void;
  /** Forgets what it holds in memory of the storage; called after that was emptied. */
  reset(): void;
  close(): void;
}

export function createPermissions(shared: Shared, ingestion: Ingestion): Permissions {
  const { config, storage, clock, ids, log, key, url, rolePrincipal } = shared;
  const { documents } = storage;
  const mode = config.iam;
  const cache = new VerdictCache();
  const principals = createPrincipals({ documents, cache });
  const usage = new PermissionUsage();
  const messages = createEncodedMessages({ key: derivedKey(key, "authorization messages"), ids });
  const audit = mode === "audit" ? auditLog(log) : undefined;
  let deciding: { readonly authoriser: Authoriser; readonly logGate: LogGate } | undefined;

  function connected(): NonNullable<typeof deciding> {
    if (deciding === undefined) throw new Error("a permission was asked for before the services were made");
    return deciding;
  }

  function onCall(operation: string, action: string, { principal, region, receivedAt }: Asking): void {
    if (principal !== undefined) usage.called(operation, action, principal, region, receivedAt);
  }

  /** What nobody asks by a request. */
  function askingAs(principal: Principal, at: { readonly account: string; readonly region: string }): Asking {
    const { account, region } = at;
    return { account, region, principal, baseUrl: url(), headers: {}, receivedAt: clock.now() };
  }

  return {
    principals,
    lastUsed: createLastUsed({
      documents,
      clock,
      usage,
      onError: (error) => log.error(error, "when roles, users and keys were used"),
    }),
    usage,
    messages,
    authorise: (service, operation, input, call) =>
      connected().authoriser.authorise(service, operation, input, call),
    assumable: (role, functionArn) =>
      mode === "off" || principals.assumableBy("lambda.amazonaws.com", role, functionArn),
    roleMay(owner, region, action, resource) {
      const asking = askingAs(rolePrincipal(owner), { account: owner.account, region });
      const { authoriser } = connected();
      return authoriser.refusal("lambda", "AssumeRole", [{ action, resource }], asking) === undefined;
    },
    urls(questions, asking) {
      const [question] = questions;
      if (question !== undefined) onCall("InvokeFunctionUrl", question.action, asking);
      const refused = connected().authoriser.refusal("lambda", "InvokeFunctionUrl", questions, asking);
      return refused === undefined ? "granted" : "refused";
    },
    admit: (first) => connected().logGate.admit(first),
    connect(services) {
      const authoriser = createAuthoriser({
        services,
        principals,
        cache,
        mode,
        clock,
        onCall,
        onAnswer(answered) {
          usage.record(answered);
          audit?.(answered);
        },
        onDenial: (denial) => usage.denied(denial),
      });
      const logGate = createLogGate({
        ingestion,
        authoriser,
        revisionOf: (account) => principals.revisionOf(account),
        mode,
        asking: (writer, region) => askingAs(rolePrincipal(writer), { account: writer.account, region }),
        onCall,
        onUse: (answered) => usage.record(answered),
        clock,
        log,
      });
      deciding = { authoriser, logGate };
    },
    report: () => ({
      uses: usage.uses(),
      denials: usage.denials().map(({ account, details, ...denial }) => ({
        ...denial,
        encodedMessage: messages.encode(account, details),
      })),
    }),
    forget: (arns) => deciding?.logGate.forget(arns),
    reset() {
      principals.reset();
      usage.clear();
      deciding?.logGate.reset();
    },
    close: () => principals.close(),
  };
}

import type { Engine, ProvisionedAllotment } from "#engine/contract";
import type { Change, Document } from "#storage/documents";
import { toFunctionSpec } from "./configuration.ts";
import { errors } from "./errors.ts";
import { registeredScopes } from "./lifecycle.ts";
import { functionArn, kindOfQualifier, type Scope } from "./names.ts";
import type { AliasRecord, ConcurrencyRecord } from "./records.ts";
import { keys, type LambdaStore } from "./store.ts";

/** What an account always keeps for functions without reserved concurrency (API reference, PutFunctionConcurrency). */
const UNRESERVED_FLOOR = 100;

const NOTHING: ConcurrencyRecord = { provisioned: {} };

/**
 * Reserved and provisioned concurrency as it is stored, and the account's ledger of what they claim. The ledger is
 * written with every change, so that two that would together claim too much cannot both be committed.
 */
export interface Concurrency {
  of(scope: Scope, name: string): ConcurrencyRecord;
  /** What functions without reserved concurrency share. */
  unreserved(scope: Scope): number;
  /** What must be committed for a function to have `after`; undefined for nothing any more. */
  change(scope: Scope, name: string, after: ConcurrencyRecord | undefined): readonly Change[];
  /** @throws AwsError where the account has not enough for `after` */
  requireRoom(
    scope: Scope,
    name: string,
    after: ConcurrencyRecord,
    claimed: "reserved" | "provisioned",
  ): void;
  /** Tells the engine what a function has now; call after each commit that may have changed it, deletions included. */
  apply(scope: Scope, name: string): void;
  /** After a start: tells the engine of every function. */
  resume(): void;
}

export interface ConcurrencyOptions {
  readonly store: LambdaStore;
  readonly engine: Engine;
  /** Concurrent executions of an account and region. */
  readonly limit: number;
}

export function createConcurrency({ store, engine, limit }: ConcurrencyOptions): Concurrency {
  const { documents } = store;
  // An account whose quota is below the floor cannot reserve anything, and 0 always can be.
  const floor = Math.min(UNRESERVED_FLOOR, limit);

  const recordOf = (scope: Scope, name: string): Document<ConcurrencyRecord> | undefined =>
    documents.get<ConcurrencyRecord>(keys.concurrency(scope, name));

  const concurrency: Concurrency = {
    of: (scope, name) => recordOf(scope, name)?.value ?? NOTHING,

    unreserved: (scope) => limit - (documents.get<Ledger>(keys.concurrencyLedger(scope))?.value.claimed ?? 0),

    change(scope, name, after = NOTHING) {
      const found = recordOf(scope, name);
      const before = found?.value ?? NOTHING;
      const key = keys.concurrency(scope, name);
      const empty = after.reserved === undefined && Object.keys(after.provisioned).length === 0;
      if (empty && found === undefined) return [];
      const ledger = documents.get<Ledger>(keys.concurrencyLedger(scope));
      const claimed = (ledger?.value.claimed ?? 0) + claimOf(after) - claimOf(before);
      return [
        empty
          ? { key, delete: true, expected: found?.revision ?? 0 }
          : { key, value: after, expected: found?.revision ?? 0 },
        { key: keys.concurrencyLedger(scope), value: { claimed }, expected: ledger?.revision ?? 0 },
      ];
    },

    requireRoom(scope, name, after, claimed) {
      const before = claimOf(concurrency.of(scope, name));
      const available = concurrency.unreserved(scope) + before;
      const claim = claimOf(after);
      if (claim <= before || available - claim >= floor) return;
      if (claimed === "reserved") throw errors.reservedBelowFloor(floor);
      throw claim > available
        ? errors.provisionedAboveUnreserved(available)
        : errors.provisionedBelowFloor(floor);
    },

    apply(scope, name) {
      const { reserved, provisioned } = concurrency.of(scope, name);
      const allotments = Object.entries(provisioned).map(([qualifier, { requested }]) => ({
        qualifier,
        targets: targetsOf(scope, name, qualifier, requested),
      }));
      const { account, region } = scope;
      const arn = functionArn(scope, name);
      engine.configureConcurrency({ account, region, arn, reserved, provisioned: allotments });
    },

    resume() {
      for (const scope of registeredScopes(documents)) {
        const all = documents.list<ConcurrencyRecord>([scope.account, scope.region, "function-concurrency"]);
        for (const { key } of all) concurrency.apply(scope, String(key[3]));
      }
    },
  };
  return concurrency;

  /** An alias of two versions has its environments in the proportion of its invocations (API reference, GetProvisionedConcurrencyConfig). */
  function targetsOf(
    scope: Scope,
    name: string,
    qualifier: string,
    requested: number,
  ): ProvisionedAllotment["targets"] {
    if (kindOfQualifier(qualifier) !== "alias") return targetOf(scope, name, qualifier, requested);
    const alias = store.alias(scope, name, qualifier)?.value;
    if (alias === undefined) return [];
    const { version, weight } = alias;
    const other = weight === undefined ? 0 : Math.round(requested * weight.share);
    return [
      ...targetOf(scope, name, version, requested - other),
      ...(weight === undefined ? [] : targetOf(scope, name, weight.version, other)),
    ];
  }

  function targetOf(
    scope: Scope,
    name: string,
    version: string,
    count: number,
  ): ProvisionedAllotment["targets"] {
    const found = store.version(scope, name, version)?.value;
    if (found === undefined || count === 0) return [];
    return [{ spec: toFunctionSpec(scope, name, found.version, found.settings), count }];
  }
}

/** `[account, region, "concurrency-ledger"]` */
interface Ledger {
  readonly claimed: number;
}

/** The environments that a function's aliases and versions were promised together. */
export function totalProvisioned({ provisioned }: ConcurrencyRecord): number {
  return Object.values(provisioned).reduce((sum, { requested }) => sum + requested, 0);
}

/** What it takes from the account's unreserved concurrency: what is provisioned is part of what is reserved. */
function claimOf(record: ConcurrencyRecord): number {
  return record.reserved ?? totalProvisioned(record);
}

/** Without the configuration of one alias or version. */
export function withoutProvisioned(record: ConcurrencyRecord, qualifier: string): ConcurrencyRecord {
  const { [qualifier]: _, ...provisioned } = record.provisioned;
  return { ...record, provisioned };
}

/** Whether an alias sends invocations to a version. */
export function pointsTo({ version, weight }: Pick<AliasRecord, "version" | "weight">, to: string): boolean {
  return version === to || weight?.version === to;
}

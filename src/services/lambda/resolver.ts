import type { FunctionSpec } from "#engine/contract";
import type { CallContext } from "#wire/operation";
import { toFunctionSpec } from "./configuration.ts";
import { errors } from "./errors.ts";
import { functionArn, kindOfQualifier, parseAnyName, type FunctionName, type Scope } from "./names.ts";
import type { AliasRecord, FunctionRecord } from "./records.ts";
import type { LambdaStore } from "./store.ts";

/** What an invocation runs. */
export interface InvocationTarget {
  /** With the qualifier, where the caller gave one. */
  readonly invokedArn: string;
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly spec: FunctionSpec;
  /** The version that an alias sends a share of its invocations to. */
  readonly alternative: { readonly spec: FunctionSpec; readonly share: number } | undefined;
}

/**
 * Turns what a caller wrote as function name and qualifier into a spec. The answer is kept until a commit changes the
 * function: reading and decoding its document would cost several times the rest of an invocation's bookkeeping.
 */
export interface Resolver {
  /**
   * Whether the caller may invoke it, whosever it is, was decided before.
   * @throws AwsError as Invoke answers: unknown function, other region, a function that is not active yet
   */
  resolve(call: CallContext, name: string | undefined, qualifier: string | undefined): InvocationTarget;
  /** The same for an event taken earlier: nothing but the names is known of its caller any more. */
  resolveName(name: FunctionName): InvocationTarget;
  /** Forgets all that is cached, as when the storage was emptied. */
  clear(): void;
  close(): void;
}

/** The cache of one account and region. */
interface ScopeCache {
  /** By name and qualifier just as the caller wrote them. */
  readonly targets: Map<string, InvocationTarget>;
  /** The keys of `targets` that lead to a function. */
  readonly spellings: Map<string, string[]>;
}

/** A function is written in few ways; beyond this many, callers make up names and the cache starts anew. */
const MAX_TARGETS = 50_000;

export function createResolver(store: LambdaStore): Resolver {
  const caches = new Map<string, ScopeCache>();
  const watches: (() => void)[] = [];

  function cacheOf(account: string, region: string): ScopeCache {
    const key = `${account}/${region}`;
    let cache = caches.get(key);
    if (cache === undefined) {
      cache = { targets: new Map(), spellings: new Map() };
      caches.set(key, cache);
      watchChanges({ account, region }, cache);
    }
    return cache;
  }

  function watchChanges({ account, region }: Scope, { targets, spellings }: ScopeCache): void {
    for (const kind of ["function", "function-version", "function-alias"]) {
      const stop = store.documents.watch([account, region, kind], ({ key }) => {
        const name = String(key[3]);
        for (const spelling of spellings.get(name) ?? []) targets.delete(spelling);
        spellings.delete(name);
      });
      watches.push(stop);
    }
  }

  function resolveName(name: FunctionName): InvocationTarget {
    const qualifier = name.qualifier ?? "$LATEST";
    const missing = () => errors.functionNotFound(functionArn(name, name.name, qualifier));
    const found = store.function(name, name.name);
    if (found === undefined) throw missing();
    const alias =
      kindOfQualifier(qualifier) === "alias" ? store.alias(name, name.name, qualifier)?.value : undefined;
    return {
      invokedArn: functionArn(name, name.name, name.qualifier),
      functionName: name.name,
      qualifier: name.qualifier,
      spec: specOf(name, alias?.version ?? qualifier, missing),
      alternative: alternativeOf(name, alias, missing),
    };
  }

  function specOf(name: FunctionName, version: string, missing: () => Error): FunctionSpec {
    const kind = kindOfQualifier(version);
    const found =
      kind === "latest" || kind === "version" ? store.version(name, name.name, version)?.value : undefined;
    if (found === undefined) throw missing();
    if (found.state.name !== "Active") throw errors.functionInState(found.state.name);
    const settings = (found as Partial<FunctionRecord>).serving ?? found.settings;
    return toFunctionSpec(name, name.name, found.version, settings);
  }

  function alternativeOf(name: FunctionName, alias: AliasRecord | undefined, missing: () => Error) {
    if (alias?.weight === undefined) return undefined;
    return { spec: specOf(name, alias.weight.version, missing), share: alias.weight.share };
  }

  return {
    resolve(call, name, qualifier) {
      // No name or qualifier that passed validation holds a line break.
      const spelling = qualifier === undefined ? (name ?? "") : `${name}\n${qualifier}`;
      const kept = caches.get(`${call.account}/${call.region}`)?.targets.get(spelling);
      if (kept !== undefined) return kept;

      const parsed = parseAnyName(call, name, qualifier);
      const { account, region } = parsed;
      // With its owner's, which hears of its changes: a name without an account is always the caller's own.
      const known = caches.get(`${account}/${region}`);
      const foreign = account === call.account ? undefined : known?.targets.get(spelling);
      if (foreign !== undefined) return foreign;
      const target = resolveName(parsed);
      // Made only now: callers may name any number of accounts and regions that hold nothing.
      const cache = known ?? cacheOf(account, region);
      if (cache.targets.size >= MAX_TARGETS) {
        cache.targets.clear();
        cache.spellings.clear();
      }
      cache.targets.set(spelling, target);
      const spellings = cache.spellings.get(target.functionName);
      if (spellings === undefined) cache.spellings.set(target.functionName, [spelling]);
      else spellings.push(spelling);
      return target;
    },

    resolveName,

    clear() {
      for (const { targets, spellings } of caches.values()) {
        targets.clear();
        spellings.clear();
      }
    },

    close() {
      for (const stop of watches) stop();
      caches.clear();
    },
  };
}

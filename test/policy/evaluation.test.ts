import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/policy/compile.ts";
import { decide } from "../../src/policy/decide.ts";
import type { PolicyDocument, StatementElement } from "../../src/policy/document.ts";
import { parsePolicy } from "../../src/policy/grammar.ts";
import { PolicySet } from "../../src/policy/policy-set.ts";
import { VerdictCache } from "../../src/policy/verdict-cache.ts";
import { policy, policyCase, statement } from "./arbitraries.ts";
import { naiveAllows, type NaiveCase } from "./naive.ts";

function allows(c: NaiveCase, cache?: VerdictCache): boolean {
  const set = (...documents: readonly (PolicyDocument | undefined)[]) =>
    documents[0] === undefined
      ? undefined
      : new PolicySet(
          documents.flatMap((one, index) => (one === undefined ? [] : [compilePolicy(`p${index}`, one)])),
          cache,
        );
  const { requester, resource, context } = c;
  const request = {
    action: c.action.toLowerCase(),
    resource,
    requester,
    keys: (name: string) => context[name],
  };
  const own = {
    identity:
      requester.kind === "root"
        ? undefined
        : new PolicySet(
            c.identity.map((one) => compilePolicy("i", one)),
            cache,
          ),
    boundary: set(c.boundary),
    session: set(c.session),
  };
  const side = { account: c.owner, policy: set(c.attached) };
  const first = decide(request, own, side);
  // The second answer comes from the cache, where there is one.
  expect(decide(request, own, side)).toEqual(first);
  return first.allowed;
}

const RUNS = { numRuns: 2000 };

describe("policy evaluation", () => {
  it("agrees with the evaluator written from the documentation", () => {
    let allowed = 0;
    fc.assert(
      fc.property(policyCase, (c) => {
        const given = c.requester.kind === "root" ? { ...c, identity: [] } : c;
        const expected = naiveAllows(given);
        allowed += Number(expected);
        expect(allows(given)).toBe(expected);
      }),
      RUNS,
    );
    // The cases are worth something only where both answers are common.
    expect(allowed).toBeGreaterThan(RUNS.numRuns / 20);
    expect(allowed).toBeLessThan((RUNS.numRuns * 19) / 20);
  });

  it("answers from the cache as without it", () => {
    const cache = new VerdictCache(50);
    fc.assert(
      fc.property(policyCase, (c) => {
        expect(allows(c, cache)).toBe(allows(c));
        expect(cache.size).toBeLessThanOrEqual(50);
      }),
      { numRuns: 1000 },
    );
  });

  const withStatement = (c: NaiveCase, added: StatementElement, named: StatementElement) => ({
    identity: { ...c, identity: [...c.identity, { Version: "2012-10-17", Statement: added }] },
    attached: {
      ...c,
      attached: { ...c.attached, Statement: [...statements(c.attached), named] },
    },
    boundary: c.boundary && {
      ...c,
      boundary: { ...c.boundary, Statement: [...statements(c.boundary), added] },
    },
    session: c.session && { ...c, session: { ...c.session, Statement: [...statements(c.session), added] } },
  });

  it("never allows more for a Deny that is added", () => {
    fc.assert(
      fc.property(policyCase, statement(false), statement(true), (c, added, named) => {
        if (allows(c)) return;
        const more = withStatement(c, { ...added, Effect: "Deny" }, { ...named, Effect: "Deny" });
        for (const changed of Object.values(more))
          if (changed !== undefined) expect(allows(changed)).toBe(false);
      }),
      RUNS,
    );
  });

  it("never denies more for an Allow that is added", () => {
    fc.assert(
      fc.property(policyCase, statement(false), statement(true), (c, added, named) => {
        if (!allows(c)) return;
        const more = withStatement(c, { ...added, Effect: "Allow" }, { ...named, Effect: "Allow" });
        for (const changed of Object.values(more))
          if (changed !== undefined) expect(allows(changed)).toBe(true);
      }),
      RUNS,
    );
  });

  it("takes every document that the grammar allows, and throws nothing but its own problems", () => {
    fc.assert(
      fc.property(policy(true), (document) => {
        expect(parsePolicy(JSON.stringify(document), "resource")).toEqual(document);
      }),
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json()),
        fc.constantFrom("identity", "trust", "resource"),
        (text, use) => {
          try {
            compilePolicy("any", parsePolicy(text, use));
          } catch (error) {
            expect((error as Error).name).toBe("PolicyProblem");
          }
        },
      ),
    );
  });
});

function statements(document: PolicyDocument | undefined): readonly StatementElement[] {
  return document === undefined ? [] : [document.Statement].flat();
}

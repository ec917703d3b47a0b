import type * as client from "@aws-sdk/client-xray";
import type { DocumentKey } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import type { XRayDeps } from "../deps.ts";
import { xrayErrors } from "../errors.ts";
import type { Scope } from "../scope.ts";

type XRay = typeof client;

/** The one rule that an account has. */
const NAME = "Default";

interface IndexingDocument {
  readonly percentage: number;
  /** Epoch milliseconds. */
  readonly modified: number;
}

/** "By default … 1% of traces": what was never set. */
const STANDARD: IndexingDocument = { percentage: 1, modified: 0 };

/** How many of the spans that AWS keeps as logs are summarised as traces. Here all are, as the actual percentage says. */
export function indexingOperations({ documents, clock }: XRayDeps) {
  const GetIndexingRules: Handler<XRay, "GetIndexingRules"> = (_input, call) => ({
    IndexingRules: [describe(documents.get<IndexingDocument>(ruleKey(call))?.value ?? STANDARD)],
  });

  const UpdateIndexingRule: Handler<XRay, "UpdateIndexingRule"> = async (input, call) => {
    if (input.Name !== NAME) throw xrayErrors.resourceMissing(input.Name ?? "");
    const percentage = input.Rule?.Probabilistic?.DesiredSamplingPercentage;
    if (percentage === undefined || percentage < 0 || percentage > 100)
      throw xrayErrors.invalid("DesiredSamplingPercentage must be from 0 to 100");
    const value = { percentage, modified: clock.now() };
    await documents.commit([{ key: ruleKey(call), value }]);
    return { IndexingRule: describe(value) };
  };

  return { GetIndexingRules, UpdateIndexingRule } satisfies OperationsOf<XRay>;
}

function ruleKey({ account, region }: Scope): DocumentKey {
  return [account, region, "xray-indexing", NAME];
}

function describe({ percentage, modified }: IndexingDocument): client.IndexingRule {
  return {
    Name: NAME,
    ModifiedAt: new Date(modified),
    Rule: {
      Probabilistic: { DesiredSamplingPercentage: percentage, ActualSamplingPercentage: 100 },
    },
  };
}

import type * as client from "@aws-sdk/client-xray";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { XRayDeps } from "../deps.ts";
import type { Scope } from "../scope.ts";
import { xrayErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Reservoirs } from "../reservoirs.ts";
import {
  DEFAULT_RULE,
  defaultRule,
  listRules,
  ruleArn,
  ruleKey,
  type SamplingRuleDocument,
} from "../sampling.ts";
import { putTags, tagsKey } from "../tags.ts";
import { pageOf } from "../tokens.ts";

type XRay = typeof client;

interface Named {
  readonly RuleName?: string | undefined;
  readonly RuleARN?: string | undefined;
}

export function samplingOperations({ documents, clock }: XRayDeps, reservoirs: Reservoirs) {
  const CreateSamplingRule: Handler<XRay, "CreateSamplingRule"> = async (input, call) => {
    const rule = input.SamplingRule;
    const name = rule?.RuleName ?? "";
    if (rule?.SamplingRateBoost !== undefined) throw xrayErrors.notAvailable("SamplingRateBoost");
    const now = clock.now();
    const value: SamplingRuleDocument = {
      name,
      created: now,
      modified: now,
      resourceArn: rule?.ResourceARN ?? "*",
      priority: rule?.Priority ?? 0,
      fixedRate: rule?.FixedRate ?? 0,
      reservoirSize: rule?.ReservoirSize ?? 0,
      serviceName: rule?.ServiceName ?? "*",
      serviceType: rule?.ServiceType ?? "*",
      host: rule?.Host ?? "*",
      httpMethod: rule?.HTTPMethod ?? "*",
      urlPath: rule?.URLPath ?? "*",
      attributes: rule?.Attributes ?? {},
    };
    if ([...listRules(documents, call)].length > LIMITS.samplingRules) throw xrayErrors.tooManyRules();
    const key = ruleKey(call, name);
    await revise<SamplingRuleDocument>(documents, key, (current) => {
      if (current !== undefined || name === DEFAULT_RULE) throw xrayErrors.ruleExists(name);
      return [{ key, value }, ...putTags(call, ruleArn(call, name), input.Tags)];
    });
    return { SamplingRuleRecord: describe(call, value) };
  };

  const UpdateSamplingRule: Handler<XRay, "UpdateSamplingRule"> = async (input, call) => {
    const update = input.SamplingRuleUpdate ?? {};
    if (update.SamplingRateBoost !== undefined) throw xrayErrors.notAvailable("SamplingRateBoost");
    const name = nameOf(call, update);
    const key = ruleKey(call, name);
    let updated: SamplingRuleDocument | undefined;
    await revise<SamplingRuleDocument>(documents, key, (current) => {
      const before = current?.value ?? (name === DEFAULT_RULE ? defaultRule() : undefined);
      if (before === undefined) throw xrayErrors.ruleMissing(name);
      if (name === DEFAULT_RULE && narrows(update)) throw xrayErrors.ruleDefault();
      updated = {
        ...before,
        modified: clock.now(),
        resourceArn: update.ResourceARN ?? before.resourceArn,
        priority: update.Priority ?? before.priority,
        fixedRate: update.FixedRate ?? before.fixedRate,
        reservoirSize: update.ReservoirSize ?? before.reservoirSize,
        serviceName: update.ServiceName ?? before.serviceName,
        serviceType: update.ServiceType ?? before.serviceType,
        host: update.Host ?? before.host,
        httpMethod: update.HTTPMethod ?? before.httpMethod,
        urlPath: update.URLPath ?? before.urlPath,
        attributes: update.Attributes ?? before.attributes,
      };
      return [{ key, value: updated }];
    });
    return updated === undefined ? {} : { SamplingRuleRecord: describe(call, updated) };
  };

  const DeleteSamplingRule: Handler<XRay, "DeleteSamplingRule"> = async (input, call) => {
    const name = nameOf(call, input);
    if (name === DEFAULT_RULE) throw xrayErrors.ruleDefault();
    const key = ruleKey(call, name);
    let gone: SamplingRuleDocument | undefined;
    await revise<SamplingRuleDocument>(documents, key, (current) => {
      if (current === undefined) throw xrayErrors.ruleMissing(name);
      gone = current.value;
      return [
        { key, delete: true },
        { key: tagsKey(call, ruleArn(call, name)), delete: true },
      ];
    });
    return gone === undefined ? {} : { SamplingRuleRecord: describe(call, gone) };
  };

  const GetSamplingRules: Handler<XRay, "GetSamplingRules"> = (input, call) => {
    const { page, next } = pageOf([...listRules(documents, call)], input.NextToken, LIMITS.page);
    return { SamplingRuleRecords: page.map((rule) => describe(call, rule)), ...next };
  };

  const GetSamplingTargets: Handler<XRay, "GetSamplingTargets"> = (input, call) => {
    const rules = new Map(Array.from(listRules(documents, call), (rule) => [rule.name, rule]));
    const targets: client.SamplingTargetDocument[] = [];
    const unknown: client.UnprocessedStatistics[] = [];
    for (const {
      RuleName = "",
      ClientID = "",
      RequestCount = 0,
      SampledCount = 0,
      BorrowCount = 0,
    } of input.SamplingStatisticsDocuments ?? []) {
      const rule = rules.get(RuleName);
      if (rule === undefined) {
        unknown.push({ RuleName, ErrorCode: "400", Message: `Sampling rule does not exist: ${RuleName}` });
        continue;
      }
      const counts = { requests: RequestCount, sampled: SampledCount, borrowed: BorrowCount };
      const quota = reservoirs.report(call, rule, ClientID, counts);
      targets.push({
        RuleName,
        FixedRate: rule.fixedRate,
        ReservoirQuota: quota.requests,
        ReservoirQuotaTTL: new Date(quota.until),
        Interval: quota.intervalSeconds,
      });
    }
    const modified = Math.max(0, ...[...rules.values()].map((rule) => rule.modified));
    return {
      SamplingTargetDocuments: targets,
      LastRuleModification: new Date(modified),
      UnprocessedStatistics: unknown,
    };
  };

  const GetSamplingStatisticSummaries: Handler<XRay, "GetSamplingStatisticSummaries"> = (input, call) => {
    const { page, next } = pageOf([...reservoirs.summaries(call)], input.NextToken, LIMITS.page);
    return {
      SamplingStatisticSummaries: page.map(({ rule, time, counts }) => ({
        RuleName: rule,
        Timestamp: new Date(time),
        RequestCount: counts.requests,
        SampledCount: counts.sampled,
        BorrowCount: counts.borrowed,
      })),
      ...next,
    };
  };

  function nameOf(scope: Scope, { RuleName, RuleARN }: Named): string {
    if ((RuleName === undefined) === (RuleARN === undefined)) throw xrayErrors.ruleOneOf();
    if (RuleName !== undefined) return RuleName;
    const found = [...listRules(documents, scope)].find(({ name }) => ruleArn(scope, name) === RuleARN);
    if (found === undefined) throw xrayErrors.ruleMissing(RuleARN ?? "");
    return found.name;
  }

  return {
    CreateSamplingRule,
    UpdateSamplingRule,
    DeleteSamplingRule,
    GetSamplingRules,
    GetSamplingTargets,
    GetSamplingStatisticSummaries,
  } satisfies OperationsOf<XRay>;
}

/** Of the default rule, how many requests it samples may be changed, and nothing else. */
function narrows(update: client.SamplingRuleUpdate): boolean {
  const { FixedRate: _rate, ReservoirSize: _size, RuleName: _name, RuleARN: _arn, ...others } = update;
  return Object.values(others).some((value) => value !== undefined);
}

function describe(scope: Scope, rule: SamplingRuleDocument): client.SamplingRuleRecord {
  return {
    SamplingRule: {
      RuleName: rule.name,
      RuleARN: ruleArn(scope, rule.name),
      ResourceARN: rule.resourceArn,
      Priority: rule.priority,
      FixedRate: rule.fixedRate,
      ReservoirSize: rule.reservoirSize,
      ServiceName: rule.serviceName,
      ServiceType: rule.serviceType,
      Host: rule.host,
      HTTPMethod: rule.httpMethod,
      URLPath: rule.urlPath,
      Version: 1,
      Attributes: { ...rule.attributes },
    },
    CreatedAt: new Date(rule.created),
    ModifiedAt: new Date(rule.modified),
  };
}

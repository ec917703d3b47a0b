import type * as client from "@aws-sdk/client-iam";
import { parseArn } from "#core/arn";
import type { Handler, OperationsOf } from "#wire/operation";
import type { LastUse } from "#wire/authorisation/usage";
import { addJob, findJob, type AccessJob } from "../access-jobs.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { heldPolicies, managedPolicyText, type HeldPolicy } from "../held-policies.ts";
import { grantedServices } from "../service-access.ts";
import { SERVICE_NAMES } from "../service-names.ts";
import type { HolderKind } from "../store.ts";
import {
  attachedTo,
  groupArn,
  holderOfArn,
  keys,
  paginate,
  policyExists,
  requireGroup,
  requireRole,
  requireUser,
  roleArn,
  userArn,
} from "../store.ts";

type Iam = typeof client;

/** A user or a role, with what it called last. */
interface Entity {
  readonly info: client.EntityInfo;
  readonly actions: ReadonlyMap<string, Readonly<LastUse>>;
}

interface EntityUse extends Readonly<LastUse> {
  readonly entity: Entity;
  readonly action: string;
}

/** Whose permissions a report is about, and who can use them. */
interface Subject {
  readonly policies: readonly Pick<HeldPolicy, "text">[];
  readonly entities: readonly Entity[];
}

/** What of the services that policies grant was really called, and by whom. */
export function lastAccessedOperations(deps: IamDeps) {
  const { documents, lastUsed } = deps;

  const GenerateServiceLastAccessedDetails: Handler<Iam, "GenerateServiceLastAccessedDetails"> = async (
    input,
    { account },
  ) => {
    const arn = input.Arn ?? "";
    requireSubject(account, arn);
    return { JobId: await addJob(deps, account, { arn, granularity: input.Granularity ?? "SERVICE_LEVEL" }) };
  };

  const GetServiceLastAccessedDetails: Handler<Iam, "GetServiceLastAccessedDetails"> = (
    input,
    { account },
  ) => {
    const job = requireJob(account, input.JobId);
    const { policies, entities } = subjectOf(account, job.arn);
    const services = new Set(policies.flatMap(({ text }) => [...grantedServices(text)]));
    const { items, paging } = paginate(input, [...services].sort(), (service) => service);
    return {
      ...describeJob(job),
      JobType: job.granularity,
      ServicesLastAccessed: items.map((service) => describeService(service, entities, job.granularity)),
      ...paging,
    };
  };

  const GetServiceLastAccessedDetailsWithEntities: Handler<
    Iam,
    "GetServiceLastAccessedDetailsWithEntities"
  > = (input, { account }) => {
    const service = (input.ServiceNamespace ?? "").toLowerCase();
    const job = requireJob(account, input.JobId);
    const { policies, entities } = subjectOf(account, job.arn);
    const granted = policies.some(({ text }) => grantedServices(text).has(service));
    const all = (granted ? entities : [])
      .map(({ info, actions }) => {
        const time = lastOf(usesOf(service, [{ info, actions }]))?.time;
        // The latest come first.
        const rank = String(Number.MAX_SAFE_INTEGER - (time ?? 0)).padStart(16, "0");
        return { info, time, order: `${rank}/${info.Arn}` };
      })
      .sort((a, b) => (a.order < b.order ? -1 : 1));
    const { items, paging } = paginate(input, all, ({ order }) => order);
    return {
      ...describeJob(job),
      EntityDetailsList: items.map(({ info, time }) => ({
        EntityInfo: info,
        ...(time === undefined ? {} : { LastAuthenticated: new Date(time) }),
      })),
      ...paging,
    };
  };

  const ListPoliciesGrantingServiceAccess: Handler<Iam, "ListPoliciesGrantingServiceAccess"> = (
    input,
    { account },
  ) => {
    const holder = holderOfArn(input.Arn ?? "");
    if (holder === undefined) throw iamErrors.invalidEntityArn(input.Arn ?? "");
    requireSubject(account, input.Arn ?? "");
    const policies = Array.from(heldPolicies(documents, account, holder.kind, holder.name), (policy) => ({
      policy,
      services: grantedServices(policy.text),
    }));
    const { items, paging } = paginate(
      input,
      [...new Set((input.ServiceNamespaces ?? []).map((name) => name.toLowerCase()))].sort(),
      (service) => service,
    );
    return {
      PoliciesGrantingServiceAccess: items.map((service) => ({
        ServiceNamespace: service,
        Policies: policies
          .filter(({ services }) => services.has(service))
          .map(({ policy }) => describePolicy(policy)),
      })),
      ...paging,
    };
  };

  /** @throws AwsError InvalidInput, NoSuchEntity */
  function requireSubject(account: string, arn: string): void {
    const holder = holderOfArn(arn);
    if (holder === undefined) {
      if (parseArn(arn)?.resource.startsWith("policy/") !== true) throw iamErrors.invalidEntityArn(arn);
      if (!policyExists(documents, account, arn)) throw iamErrors.policyMissing(arn);
      return;
    }
    const { kind, name } = holder;
    const found =
      kind === "role"
        ? roleArn(account, requireRole(documents, account, name).value)
        : kind === "user"
          ? userArn(account, requireUser(documents, account, name).value)
          : groupArn(account, requireGroup(documents, account, name).value);
    if (found !== arn) throw iamErrors.entityMissing(arn);
  }

  /** @throws AwsError NoSuchEntity where it is gone since the report was asked for */
  function subjectOf(account: string, arn: string): Subject {
    requireSubject(account, arn);
    const holder = holderOfArn(arn);
    if (holder !== undefined)
      return {
        policies: [...heldPolicies(documents, account, holder.kind, holder.name)],
        entities: entitiesOf(account, holder.kind, holder.name),
      };
    const entities = (["user", "role", "group"] as const).flatMap((kind) =>
      attachedTo(documents, account, arn, kind).flatMap((name) => entitiesOf(account, kind, name)),
    );
    return {
      policies: [{ text: managedPolicyText(documents, account, arn) ?? "" }],
      // Whoever holds the policy itself may have it through a group, too.
      entities: [...new Map(entities.map((entity) => [entity.info.Arn, entity])).values()],
    };
  }

  /** A group's are its members. */
  function entitiesOf(account: string, kind: HolderKind, name: string): Entity[] {
    if (kind === "group")
      return Array.from(documents.list(keys.members(account, name)), ({ key }) =>
        entitiesOf(account, "user", String(key.at(-1))),
      ).flat();
    const { id, path, ...holder } =
      kind === "role"
        ? requireRole(documents, account, name).value
        : requireUser(documents, account, name).value;
    const Arn = (kind === "role" ? roleArn : userArn)(account, { path, name: holder.name });
    const Type = kind === "role" ? ("ROLE" as const) : ("USER" as const);
    return [
      {
        info: { Arn, Name: holder.name, Type, Id: id, Path: path },
        actions: lastUsed.actionsOf(account, id),
      },
    ];
  }

  function requireJob(account: string, id = ""): AccessJob {
    const job = findJob(documents, account, id);
    if (job === undefined) throw iamErrors.jobMissing(id);
    return job;
  }

  return {
    GenerateServiceLastAccessedDetails,
    GetServiceLastAccessedDetails,
    GetServiceLastAccessedDetailsWithEntities,
    ListPoliciesGrantingServiceAccess,
  } satisfies OperationsOf<Iam>;
}

function describeJob({ created }: AccessJob) {
  return {
    JobStatus: "COMPLETED" as const,
    JobCreationDate: new Date(created),
    JobCompletionDate: new Date(created),
  };
}

function usesOf(service: string, entities: readonly Entity[]): EntityUse[] {
  return entities.flatMap((entity) =>
    [...entity.actions].flatMap(([action, { time, region }]) =>
      action.startsWith(`${service}:`) ? [{ entity, action, time, region }] : [],
    ),
  );
}

function lastOf(uses: readonly EntityUse[]): EntityUse | undefined {
  return uses.reduce<EntityUse | undefined>(
    (last, use) => (last === undefined || use.time > last.time ? use : last),
    undefined,
  );
}

function describeService(
  service: string,
  entities: readonly Entity[],
  granularity: AccessJob["granularity"],
): client.ServiceLastAccessed {
  const uses = usesOf(service, entities);
  const last = lastOf(uses);
  const ServiceName = SERVICE_NAMES.get(service) ?? service;
  if (last === undefined) return { ServiceName, ServiceNamespace: service, TotalAuthenticatedEntities: 0 };
  return {
    ServiceName,
    LastAuthenticated: new Date(last.time),
    ServiceNamespace: service,
    LastAuthenticatedEntity: last.entity.info.Arn,
    LastAuthenticatedRegion: last.region,
    TotalAuthenticatedEntities: new Set(uses.map(({ entity }) => entity)).size,
    ...(granularity === "ACTION_LEVEL" ? { TrackedActionsLastAccessed: describeActions(uses) } : {}),
  };
}

function describeActions(uses: readonly EntityUse[]): client.TrackedActionLastAccessed[] {
  const actions = [...new Set(uses.map(({ action }) => action))].sort();
  return actions.map((action) => {
    const last = lastOf(uses.filter((use) => use.action === action));
    return {
      ActionName: action.slice(action.indexOf(":") + 1),
      LastAccessedEntity: last?.entity.info.Arn,
      LastAccessedTime: last && new Date(last.time),
      LastAccessedRegion: last?.region,
    };
  });
}

function describePolicy({ name, arn, holder }: HeldPolicy) {
  if (arn !== undefined) return { PolicyName: name, PolicyType: "MANAGED" as const, PolicyArn: arn };
  const EntityType = ({ user: "USER", role: "ROLE", group: "GROUP" } as const)[holder.kind];
  return { PolicyName: name, PolicyType: "INLINE" as const, EntityType, EntityName: holder.name };
}

import type * as client from "@aws-sdk/client-xray";
import type { Ids } from "#core/ids";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { XRayDeps } from "../deps.ts";
import type { Scope } from "../scope.ts";
import { xrayErrors } from "../errors.ts";
import { DEFAULT_GROUP, groupArn, groupByName, groupKey, listGroups, type GroupDocument } from "../groups.ts";
import { LIMITS } from "../limits.ts";
import { putTags, tagsKey } from "../tags.ts";
import { pageOf } from "../tokens.ts";
import { TraceFinder } from "../traces/finder.ts";

type XRay = typeof client;

interface Named {
  readonly GroupName?: string | undefined;
  readonly GroupARN?: string | undefined;
}

export function groupOperations(deps: XRayDeps, ids: Ids) {
  const { documents } = deps;
  const finder = new TraceFinder(deps);

  const CreateGroup: Handler<XRay, "CreateGroup"> = async (input, call) => {
    const name = input.GroupName ?? "";
    finder.filter(call, input.FilterExpression);
    if ([...listGroups(documents, call)].length > LIMITS.groups)
      throw xrayErrors.tooManyGroups(LIMITS.groups);
    const key = groupKey(call, name);
    const group: GroupDocument = {
      name,
      id: ids.base32(26),
      ...settingsOf(input),
      filter: input.FilterExpression ?? "",
    };
    await revise<GroupDocument>(documents, key, (current) => {
      if (current !== undefined || name === DEFAULT_GROUP) throw xrayErrors.groupExists(name);
      return [{ key, value: group }, ...putTags(call, groupArn(call, group), input.Tags)];
    });
    return { Group: describe(call, group) };
  };

  const UpdateGroup: Handler<XRay, "UpdateGroup"> = async (input, call) => {
    const { name } = requireGroup(call, input);
    finder.filter(call, input.FilterExpression);
    if (name === DEFAULT_GROUP && input.FilterExpression !== undefined) throw xrayErrors.groupDefault();
    const key = groupKey(call, name);
    let updated: GroupDocument | undefined;
    await revise<GroupDocument>(documents, key, (current) => {
      const before = current?.value ?? groupByName(documents, call, name);
      if (before === undefined) throw xrayErrors.groupMissing();
      const filter = input.FilterExpression ?? before.filter;
      updated = {
        ...before,
        ...(input.InsightsConfiguration === undefined ? {} : settingsOf(input)),
        filter,
      };
      return [{ key, value: updated }];
    });
    return updated === undefined ? {} : { Group: describe(call, updated) };
  };

  const DeleteGroup: Handler<XRay, "DeleteGroup"> = async (input, call) => {
    const group = requireGroup(call, input);
    if (group.name === DEFAULT_GROUP) throw xrayErrors.groupDefault();
    await documents.commit([
      { key: groupKey(call, group.name), delete: true },
      { key: tagsKey(call, groupArn(call, group)), delete: true },
    ]);
    return {};
  };

  const GetGroup: Handler<XRay, "GetGroup"> = (input, call) => ({
    Group: describe(call, requireGroup(call, input)),
  });

  const GetGroups: Handler<XRay, "GetGroups"> = (input, call) => {
    const { page, next } = pageOf([...listGroups(documents, call)], input.NextToken, LIMITS.page);
    return { Groups: page.map((group) => describe(call, group)), ...next };
  };

  function requireGroup(scope: Scope, { GroupName, GroupARN }: Named): GroupDocument {
    if ((GroupName === undefined) === (GroupARN === undefined)) throw xrayErrors.groupOneOf();
    const group =
      GroupName === undefined
        ? [...listGroups(documents, scope)].find((one) => groupArn(scope, one) === GroupARN)
        : groupByName(documents, scope, GroupName);
    if (group === undefined) throw xrayErrors.groupMissing();
    return group;
  }

  return { CreateGroup, UpdateGroup, DeleteGroup, GetGroup, GetGroups } satisfies OperationsOf<XRay>;
}

/** Nothing takes notifications, which AWS sends to EventBridge: a group that wants them is refused. @throws AwsError */
function settingsOf(input: {
  readonly InsightsConfiguration?: client.InsightsConfiguration | undefined;
}): Pick<GroupDocument, "insights" | "notifications"> {
  const { InsightsEnabled = false, NotificationsEnabled = false } = input.InsightsConfiguration ?? {};
  if (NotificationsEnabled) throw xrayErrors.notAvailable("NotificationsEnabled");
  return { insights: InsightsEnabled, notifications: NotificationsEnabled };
}

function describe(scope: Scope, group: GroupDocument): client.Group {
  return {
    GroupName: group.name,
    GroupARN: groupArn(scope, group),
    ...(group.filter === "" ? {} : { FilterExpression: group.filter }),
    InsightsConfiguration: { InsightsEnabled: group.insights, NotificationsEnabled: group.notifications },
  };
}

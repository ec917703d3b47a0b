import type * as client from "@aws-sdk/client-cloudwatch";
import { AwsError } from "#core/errors";
import type { Handler, OperationsOf } from "#wire/operation";
import {
  checkDashboard,
  dashboardArn,
  type DashboardDocument,
  dashboardKey,
  dashboardsPrefix,
} from "../dashboards.ts";
import type { CloudWatchDeps } from "../deps.ts";
import { cloudwatchErrors } from "../errors.ts";
import { readToken, writeToken } from "../tokens.ts";

type CloudWatch = typeof client;

const PAGE = 1000;

export function dashboardOperations({ documents, clock }: CloudWatchDeps) {
  const PutDashboard: Handler<CloudWatch, "PutDashboard"> = async (input, call) => {
    const { DashboardName: name = "", DashboardBody: body = "" } = input;
    checkName(name);
    const problems = checkDashboard(body);
    if (problems === undefined) throw invalidBody("", "The field DashboardBody must be a valid JSON object");
    const [first] = problems;
    if (first !== undefined)
      throw new AwsError("DashboardInvalidInputError", describe(problems.length), {
        members: {
          dashboardValidationMessages: problems.map(({ path, message }) => ({
            DataPath: path,
            Message: message,
          })),
        },
      });
    const value: DashboardDocument = { name, body, modifiedAt: clock.now() };
    await documents.commit([{ key: dashboardKey(call.account, name), value }]);
    return { DashboardValidationMessages: [] };
  };

  const GetDashboard: Handler<CloudWatch, "GetDashboard"> = ({ DashboardName: name = "" }, call) => {
    const dashboard = documents.get<DashboardDocument>(dashboardKey(call.account, name))?.value;
    if (dashboard === undefined) throw missing(name);
    return {
      DashboardArn: dashboardArn(call.account, name),
      DashboardBody: dashboard.body,
      DashboardName: name,
    };
  };

  const ListDashboards: Handler<CloudWatch, "ListDashboards"> = (input, call) => {
    const { DashboardNamePrefix: prefix = "", NextToken } = input;
    const after = NextToken === undefined ? undefined : readToken(NextToken, ["string"])[0];
    const all = dashboardsPrefix(call.account);
    const options = after === undefined ? {} : { after: dashboardKey(call.account, after) };
    const found: DashboardDocument[] = [];
    let more = false;
    for (const { value } of documents.list<DashboardDocument>(all, options)) {
      if (!value.name.startsWith(prefix)) continue;
      if (found.length === PAGE) {
        more = true;
        break;
      }
      found.push(value);
    }
    return {
      DashboardEntries: found.map(({ name, body, modifiedAt }) => ({
        DashboardArn: dashboardArn(call.account, name),
        DashboardName: name,
        LastModified: new Date(modifiedAt),
        Size: Buffer.byteLength(body),
      })),
      ...(more ? { NextToken: writeToken([found.at(-1)?.name ?? ""]) } : {}),
    };
  };

  const DeleteDashboards: Handler<CloudWatch, "DeleteDashboards"> = async ({ DashboardNames = [] }, call) => {
    const keys = [...new Set(DashboardNames)].map((name) => dashboardKey(call.account, name));
    for (const [index, key] of keys.entries())
      if (documents.get(key) === undefined) throw missing(DashboardNames[index] ?? "");
    if (keys.length > 0) await documents.commit(keys.map((key) => ({ key, delete: true }) as const));
    return {};
  };

  return { PutDashboard, GetDashboard, ListDashboards, DeleteDashboards } satisfies OperationsOf<CloudWatch>;
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9_-]+$/.test(name)) return;
  // Recorded, with the line break.
  throw cloudwatchErrors.value(
    "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).\n",
  );
}

function invalidBody(path: string, message: string): AwsError {
  return new AwsError("DashboardInvalidInputError", describe(1), {
    members: { dashboardValidationMessages: [{ DataPath: path, Message: message }] },
  });
}

function describe(count: number): string {
  return `The dashboard body is invalid, there are validation errors: ${count}`;
}

function missing(name: string): AwsError {
  return new AwsError("DashboardNotFoundError", `Dashboard ${name} does not exist`, { status: 404 });
}

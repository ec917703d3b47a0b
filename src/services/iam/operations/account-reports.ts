import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import { accountDetails, type AccountDetail } from "../account-details.ts";
import { credentialReport } from "../credential-report.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { paginate, REGION } from "../store.ts";

type Iam = typeof client;

/** A report is good for so long: asked for again within it, AWS answers the same one. */
const REPORT_MS = 4 * 3_600_000;

interface ReportDocument {
  readonly generated: number;
  readonly content: string;
}

export function accountReportOperations(deps: IamDeps) {
  const { documents, clock } = deps;
  // Decisions do not depend on documents of this kind: writing one drops no compiled policy.
  const reportKey = (account: string) => [account, REGION, "access-report", "credentials"] as const;

  const GetAccountAuthorizationDetails: Handler<Iam, "GetAccountAuthorizationDetails"> = (
    input,
    { account },
  ) => {
    const filter = input.Filter ?? [];
    const wants = (kind: AccountDetail["kind"]): boolean => filter.length === 0 || filter.includes(kind);
    const { items, paging } = paginate(input, accountDetails(deps, account, wants), ({ order }) => order);
    const details = items.map(({ read }) => read());
    return {
      UserDetailList: details.flatMap((one) => (one.kind === "User" ? [one.detail] : [])),
      GroupDetailList: details.flatMap((one) => (one.kind === "Group" ? [one.detail] : [])),
      RoleDetailList: details.flatMap((one) => (one.kind === "Role" ? [one.detail] : [])),
      Policies: details.flatMap((one) => (one.kind === "LocalManagedPolicy" ? [one.detail] : [])),
      ...paging,
    };
  };

  const GenerateCredentialReport: Handler<Iam, "GenerateCredentialReport"> = async (_input, { account }) => {
    if (currentReport(account) !== undefined) return { State: "COMPLETE" };
    const value: ReportDocument = {
      generated: clock.now(),
      content: credentialReport(deps, account),
    };
    await documents.commit([{ key: reportKey(account), value }]);
    return { State: "STARTED", Description: "No report exists. Starting a new report generation task" };
  };

  const GetCredentialReport: Handler<Iam, "GetCredentialReport"> = (_input, { account }) => {
    const report = currentReport(account);
    if (report === undefined)
      throw documents.get(reportKey(account)) === undefined
        ? iamErrors.reportMissing()
        : iamErrors.reportExpired();
    return {
      Content: Buffer.from(report.content),
      ReportFormat: "text/csv",
      GeneratedTime: new Date(report.generated),
    };
  };

  function currentReport(account: string): ReportDocument | undefined {
    const report = documents.get<ReportDocument>(reportKey(account))?.value;
    return report !== undefined && clock.now() < report.generated + REPORT_MS ? report : undefined;
  }

  return {
    GetAccountAuthorizationDetails,
    GenerateCredentialReport,
    GetCredentialReport,
  } satisfies OperationsOf<Iam>;
}

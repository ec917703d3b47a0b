import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import type { RolePrincipal } from "#core/principal";
import { compilePolicy } from "#policy/compile";
import { PolicySet } from "#policy/policy-set";
import { VerdictCache } from "#policy/verdict-cache";
import { createIngestion } from "#services/logs/ingestion";
import type { LogWriter } from "#telemetry/log-sink";
import { createAuthoriser } from "#wire/authorisation/authorise";
import { PermissionUsage } from "#wire/authorisation/usage";
import { withStorage } from "../../test/support/storage.ts";
import { createLogGate } from "./log-gate.ts";

const storage = withStorage();
const [account, region] = ["111111111111", "us-east-1"];
const roleArn = `arn:aws:iam::${account}:role/r`;
const principal: RolePrincipal = {
  kind: "assumed-role",
  account,
  arn: `${roleArn}/s`,
  userId: "AROA:s",
  roleArn,
};

it("tells once of what a function's role was asked for, and again once the function was forgotten", async () => {
  const { documents, journal } = storage();
  const clock = new ManualClock();
  const ingestion = createIngestion({ documents, journal, clock });
  const logs = { Effect: "Allow", Action: "logs:*", Resource: "*" } as const;
  const identity = new PolicySet([compilePolicy("p", { Version: "2012-10-17", Statement: [logs] })]);
  const usage = new PermissionUsage();
  const revision = {};
  const gate = createLogGate({
    ingestion,
    authoriser: createAuthoriser({
      services: [],
      principals: {
        policiesOf: () => ({ identity, boundary: undefined, session: undefined }),
        tagsOf: () => ({}),
      },
      cache: new VerdictCache(),
      mode: "enforce",
      clock,
    }),
    revisionOf: () => revision,
    mode: "enforce",
    asking: () => ({ account, region, principal, baseUrl: "", headers: {}, receivedAt: clock.now() }),
    onCall: () => undefined,
    onUse: (answered) => usage.record(answered),
    clock,
    log: { warn: () => undefined },
  });
  let streams = 0;
  /** Each line is another environment's first. */
  const admit = async (name: string): Promise<void> => {
    const arn = `arn:aws:lambda:${region}:${account}:function:${name}`;
    const writer: LogWriter = { account, name, arn, roleArn };
    const stream = `stream-${streams++}`;
    const line = { account, region, group: `/aws/lambda/${name}`, stream, time: clock.now(), message: "" };
    expect(await gate.admit({ ...line, writer })).toBe(true);
  };
  const counts = () => usage.uses().map(({ action, count }) => [action, count]);
  await admit("f");
  await admit("f");
  const first = [
    ["logs:CreateLogGroup", 1],
    ["logs:CreateLogStream", 1],
    ["logs:PutLogEvents", 1],
  ];
  expect(counts()).toEqual(first);
  gate.forget(new Set([`arn:aws:lambda:${region}:${account}:function:other`]));
  await admit("f");
  expect(counts()).toEqual(first);
  gate.forget(new Set([`arn:aws:lambda:${region}:${account}:function:f`]));
  await admit("f");
  expect(counts()).toEqual([
    ["logs:CreateLogGroup", 1],
    ["logs:CreateLogStream", 2],
    ["logs:PutLogEvents", 2],
  ]);
});

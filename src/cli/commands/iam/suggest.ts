import type { IAMClient } from "@aws-sdk/client-iam";
import { grantsOf, smallestPolicy, suggestedDocument, unusedGrants } from "#policy/least-privilege";
import { iamClient } from "../../aws.ts";
import { type CliHost, type CommandInput, exit } from "../../command.ts";
import { clientFlags } from "../../options.ts";
import { isNamed, readPermissions } from "./permissions.ts";

/** The name of the inline policy that `--apply` writes. */
const POLICY_NAME = "thaw-least-privilege";

interface RolePolicies {
  /** Documents by the inline policy's name or the managed one's ARN. */
  readonly documents: ReadonlyMap<string, string>;
  readonly inline: readonly string[];
  readonly attached: readonly string[];
}

/** Prints the smallest policy for a role, and what it would take away; with `--apply`, puts it in the others' place. */
export async function suggest(role: string, input: CommandInput, host: CliHost): Promise<number> {
  const config = host.loadClientConfig(clientFlags(input));
  const { out } = host;
  const { uses } = await readPermissions(config);
  const used = uses.filter(({ holder, allowed }) => allowed && isNamed(holder, role));
  const RoleName = role.split("/").at(-1) ?? role;
  const client = await iamClient(config);
  const { documents, inline, attached } = await policiesOf(client, RoleName);
  const statements = smallestPolicy(used);
  const policy = suggestedDocument(statements);
  const unused = unusedGrants(grantsOf(documents), used);
  if (input.options["json"]) {
    out.line(JSON.stringify({ policy, unused }));
  } else if (used.length === 0) {
    out.line(`${RoleName} has used no permission since the platform started.`);
  } else {
    out.line(JSON.stringify(policy, null, 2));
    out.line();
    for (const [name, text] of documents)
      for (const grant of grantsOf(new Map([[name, text]])))
        out.line(
          out.dim(
            `- ${grant.action} on ${grant.resource} (${name})${unused.some((one) => same(one, grant)) ? ", never used" : ""}`,
          ),
        );
    for (const { Action, Resource } of statements)
      for (const action of Action) for (const resource of Resource) out.line(`+ ${action} on ${resource}`);
  }
  if (!input.options["apply"]) return exit.ok;
  if (used.length === 0) {
    out.error("Nothing is applied: a policy without a statement is none.");
    return exit.failed;
  }
  await apply(client, RoleName, JSON.stringify(policy), inline, attached);
  out.line();
  out.line(`${RoleName} now has ${POLICY_NAME} alone.`);
  return exit.ok;
}

async function policiesOf(client: IAMClient, RoleName: string): Promise<RolePolicies> {
  const iam = await import("@aws-sdk/client-iam");
  const documents = new Map<string, string>();
  const { PolicyNames = [] } = await client.send(new iam.ListRolePoliciesCommand({ RoleName }));
  for (const PolicyName of PolicyNames) {
    const { PolicyDocument = "" } = await client.send(new iam.GetRolePolicyCommand({ RoleName, PolicyName }));
    documents.set(PolicyName, decodeURIComponent(PolicyDocument));
  }
  const { AttachedPolicies = [] } = await client.send(new iam.ListAttachedRolePoliciesCommand({ RoleName }));
  const attached = AttachedPolicies.map(({ PolicyArn = "" }) => PolicyArn);
  for (const PolicyArn of attached) {
    const { Policy } = await client.send(new iam.GetPolicyCommand({ PolicyArn }));
    const VersionId = Policy?.DefaultVersionId;
    const { PolicyVersion } = await client.send(new iam.GetPolicyVersionCommand({ PolicyArn, VersionId }));
    documents.set(PolicyArn, decodeURIComponent(PolicyVersion?.Document ?? ""));
  }
  return { documents, inline: PolicyNames, attached };
}

/** First the new one: the role lacks nothing that it used at any moment. */
async function apply(
  client: IAMClient,
  RoleName: string,
  PolicyDocument: string,
  inline: readonly string[],
  attached: readonly string[],
): Promise<void> {
  const iam = await import("@aws-sdk/client-iam");
  await client.send(new iam.PutRolePolicyCommand({ RoleName, PolicyName: POLICY_NAME, PolicyDocument }));
  for (const PolicyName of inline)
    if (PolicyName !== POLICY_NAME)
      await client.send(new iam.DeleteRolePolicyCommand({ RoleName, PolicyName }));
  for (const PolicyArn of attached)
    await client.send(new iam.DetachRolePolicyCommand({ RoleName, PolicyArn }));
}

function same(a: { action: string; resource: string; policy: string }, b: typeof a): boolean {
  return a.action === b.action && a.resource === b.resource && a.policy === b.policy;
}

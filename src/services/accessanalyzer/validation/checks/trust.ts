import type { Text } from "../../document/place.ts";
import type { PrincipalsView, StatementView } from "../../document/policy.ts";
import { securityWarnings, suggestions, warnings } from "../advice.ts";
import { typeErrors } from "../errors.ts";
import type { CheckContext } from "../report.ts";

const GITHUB = "token.actions.githubusercontent.com";
const SAML_PROVIDER = /^arn:[^:]*:iam::[^:]*:saml-provider\/.+/;
const OIDC_PROVIDER = /^arn:[^:]*:iam::[^:]*:oidc-provider\/(.+)/;
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:\/.*)?$/i;

/** What is right of resources' policies in general and not of roles' trust policies. */
export function checkTrust(
  statement: StatementView,
  principals: PrincipalsView,
  context: CheckContext,
): void {
  const { report } = context;
  const named = (kind: string): readonly Text[] =>
    principals.kinds.find((each) => each.kind === kind)?.texts ?? [];
  const federated = named("Federated");
  for (const provider of federated)
    if (!SAML_PROVIDER.test(provider.text) && providerHost(provider) === undefined)
      report(typeErrors.trustFederated(), provider);
  checkActions(statement, principals, report);
  checkRolesAnywhere(statement, named("Service"), report);
  checkSessions(named("AWS"), report);
  if (statement.effect !== "Allow") return;
  for (const provider of federated) checkProvider(statement, provider, report);
}

/** The host, and path, that an OpenID Connect provider's claims are named by. */
function providerHost({ text }: Text): string | undefined {
  return OIDC_PROVIDER.exec(text)?.[1] ?? (DOMAIN.test(text) ? text : undefined);
}

function checkActions(
  { actions }: StatementView,
  { kinds }: PrincipalsView,
  report: CheckContext["report"],
): void {
  const all = kinds.flatMap(({ kind, texts }) => texts.map((name) => ({ kind, name })));
  for (const action of actions?.negated === false ? actions.texts : []) {
    const folded = action.text.toLowerCase();
    const fits =
      folded === "sts:assumerolewithsaml"
        ? (kind: string, name: Text) => kind === "Federated" && SAML_PROVIDER.test(name.text)
        : folded === "sts:assumerolewithwebidentity"
          ? (kind: string, name: Text) => kind === "Federated" && providerHost(name) !== undefined
          : undefined;
    if (fits === undefined) continue;
    const wrong = all.filter(({ kind, name }) => !fits(kind, name)).map(({ name }) => name);
    if (wrong.length > 0)
      report(
        typeErrors.mismatchedAction(action.text, wrong.map(({ text }) => text).join(", ")),
        action,
        ...wrong,
      );
  }
}

function checkRolesAnywhere(
  { actions, effect }: StatementView,
  services: readonly Text[],
  report: CheckContext["report"],
): void {
  const service = services.find(({ text }) => text === "rolesanywhere.amazonaws.com");
  if (service === undefined || actions === undefined || actions.negated || effect !== "Allow") return;
  const has = new Set(actions.texts.map(({ text }) => text.toLowerCase()));
  if (has.has("*") || has.has("sts:*")) return;
  if (!["sts:assumerole", "sts:setsourceidentity", "sts:tagsession"].every((action) => has.has(action)))
    report(typeErrors.rolesAnywhere(), actions.member);
}

function checkSessions(names: readonly Text[], report: CheckContext["report"]): void {
  const roles = new Set(names.map(({ text }) => text));
  for (const session of names) {
    const [, partition = "", account = "", role = ""] =
      /^arn:([^:]*):(?:sts|iam)::(\d{12}):assumed-role\/([^/]+)\//.exec(session.text) ?? [];
    const parent = `arn:${partition}:iam::${account}:role/${role}`;
    if (role !== "" && roles.has(parent)) report(suggestions.redundantSession(session.text, parent), session);
  }
}

function checkProvider(statement: StatementView, provider: Text, report: CheckContext["report"]): void {
  const host = providerHost(provider)?.toLowerCase();
  if (host === undefined) return;
  const own = statement.conditions.filter(({ key }) => key.toLowerCase().startsWith(`${host}:`));
  if (host.split("/", 1)[0] === GITHUB) checkGithub(own, host, provider, report);
  else if (own.length === 0) report(securityWarnings.oidcPrincipal(), provider);
  for (const { key, qualifier, member } of own)
    if (qualifier === "foranyvalue" && key.toLowerCase() === `${host}:aud`)
      report(securityWarnings.forAnyValueAudience(key), member.key);
}

function checkGithub(
  conditions: StatementView["conditions"],
  host: string,
  provider: Text,
  report: CheckContext["report"],
): void {
  const subject = conditions.find(({ key }) => key.toLowerCase() === `${host}:sub`);
  if (subject === undefined) {
    report(securityWarnings.githubRepository(), provider);
    return;
  }
  const branch = conditions.some(({ key }) => key.toLowerCase() === `${host}:ref`);
  const vague = subject.values.filter(
    ({ node }) =>
      node.kind === "string" &&
      // `repo:owner/name:…`: a wildcard in owner or name, or in the branch where nothing else names one.
      (/^repo:[^:]*\*/.test(node.value) ||
        !node.value.startsWith("repo:") ||
        (!branch && /\*/.test(node.value))),
  );
  if (vague.length > 0) report(warnings.githubBranch(), ...vague);
}

import { type Principal, servicePrincipal } from "#core/principal";
import { parseQuery } from "#wire/protocols/rest/uri";

interface LinkRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** What a link stands for, in place of what a signature says. */
export interface Link {
  readonly principal: Principal;
  readonly region: string;
  readonly service: "sns";
  readonly trailers: Readonly<Record<string, string>>;
}

/** The operations that messages hold links to, with the parameter that says where they act. */
const ARN_OF: ReadonlyMap<string, string> = new Map([
  ["ConfirmSubscription", "TopicArn"],
  ["Unsubscribe", "SubscriptionArn"],
]);

/** Whether a request is for a SubscribeURL or an UnsubscribeURL: a GET that nobody signed. */
export function isLink({ method, path, query, headers }: LinkRequest): boolean {
  if (method !== "GET" || path !== "/" || headers["authorization"] !== undefined) return false;
  if (/(?:^|&)X-Amz-(?:Signature|Credential)=/iu.test(query)) return false;
  const [, action] = /(?:^|&)Action=(\w+)/u.exec(query) ?? [];
  return action !== undefined && ARN_OF.has(action);
}

/** Account and region are the ARN's; where it is none, the operation says what is wrong with it. */
export function linkOf({ query }: LinkRequest): Link {
  const parameters = new Map(parseQuery(query) ?? []);
  const arn = parameters.get(ARN_OF.get(parameters.get("Action") ?? "") ?? "") ?? "";
  const [, , , region = "", account = ""] = arn.split(":");
  const known = /^\d{12}$/u.test(account) ? account : "000000000000";
  return {
    principal: servicePrincipal("sns.amazonaws.com", { account: known }),
    region: /^[a-z]{2}(?:-[a-z]+)+-\d$/u.test(region) ? region : "us-east-1",
    service: "sns",
    trailers: {},
  };
}

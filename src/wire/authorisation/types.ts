import type { AwsError } from "#core/errors";
import type { Principal } from "#core/principal";
import type { Decision, RequesterPolicies } from "#policy/decide";
import type { Denial } from "#policy/denial";
import type { PolicyDocument } from "#policy/document";
import type { CallContext } from "../call-context.ts";

/** Condition keys that a service sets for a call, names in lower case; what is undefined is not there. */
export type ServiceKeys = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One permission that a call needs. A call that needs several asks several questions. */
export interface Question {
  /** `lambda:InvokeFunction`, spelled as the service's denials spell it. */
  readonly action: string;
  /** An ARN, or `*` where the action works on no resource. */
  readonly resource: string;
  /** How denials name the resource, where they do not by its ARN. */
  readonly shown?: string;
  /** The account that owns the resource, where its ARN does not say: buckets. */
  readonly owner?: string;
  readonly keys?: ServiceKeys;
  /** The resource's policy must allow it, whatever the caller's own say: roles. */
  readonly policyRequired?: boolean;
  /** The policy of the resource, where `resourcePolicy` of the called service does not know it. */
  readonly policy?: PolicyDocument;
}

/** What the operations of one service need permission for. */
export interface ServiceAuthorisation {
  /** What its actions begin with, `lambda`: an operation that is not listed asks for `lambda:<Operation>` on `*`. */
  readonly prefix: string;
  /** By operation. None where everybody may, as GetCallerIdentity. */
  readonly questions: Readonly<Record<string, (input: never, call: CallContext) => readonly Question[]>>;
  /**
   * The policy attached to a resource of this service: its text, or its document, which must be the same object for as
   * long as it says the same.
   * @param principal who asks; undefined where it is everybody
   */
  readonly resourcePolicy?: (
    arn: string,
    principal: Principal | undefined,
  ) => string | PolicyDocument | undefined;
  /**
   * What no policy can allow: operations that are closed to some kinds of temporary credentials, in every mode.
   * @throws AwsError
   */
  readonly requireCredentials?: (operation: string, principal: Principal) => void;
  /** The tags of a resource of this service, for `aws:ResourceTag`. */
  readonly resourceTags?: (arn: string) => Readonly<Record<string, string>> | undefined;
  /** How its denials name the resource of actions that work on none; most do not name any. */
  readonly shownForNone?: (asking: Pick<Asking, "account" | "region">) => string;
  /** A denial as this service answers it; AccessDeniedException with status 403 where it is left out. */
  readonly denied?: (refusal: Refusal) => AwsError;
}

/** The circumstances of a call that decisions may depend on. */
export interface Asking extends Pick<
  CallContext,
  "account" | "region" | "baseUrl" | "headers" | "sourceIp" | "receivedAt"
> {
  /** Undefined for those who did not sign. */
  readonly principal: Principal | undefined;
}

export interface Refusal {
  readonly principal: Principal | undefined;
  readonly question: Question;
  readonly denial: Denial;
}

/** The table of a service, typed by its official client: `AuthorisationOf<typeof import("@aws-sdk/client-sqs")>`. */
export type AuthorisationOf<Client> = {
  readonly [
    Name in keyof Client as Name extends `${infer Operation}Command` ? Operation : never
  ]?: Client[Name] extends new (...args: never[]) => { readonly input: infer Input }
    ? (input: Input, call: CallContext) => readonly Question[]
    : never;
};

/** Where principals' own policies are kept. */
export interface PrincipalSource {
  /** What bears on a principal of its own; `undefined` where it, or the role it is a session of, is gone. */
  policiesOf(principal: Principal): RequesterPolicies | undefined;
  /** Tags of the user or role itself, for `aws:PrincipalTag`. */
  tagsOf(principal: Principal): Readonly<Record<string, string>>;
}

/** `off`: nobody is asked. `audit`: nobody is refused, but told of. */
export type AuthorisationMode = "enforce" | "audit" | "off";

/** A question that was answered. */
export interface Answered {
  readonly service: string;
  readonly operation: string;
  readonly principal: Principal | undefined;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly question: Question;
  readonly decision: Decision;
}

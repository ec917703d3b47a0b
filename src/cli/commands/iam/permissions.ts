import { OperatorError } from "#core/errors";
import type { Endpoint } from "../../aws.ts";
import { getJson } from "../../trust.ts";

/** As the platform lists what roles and users asked permission for. */
export interface Permissions {
  readonly uses: readonly Use[];
  readonly denials: readonly Denial[];
}

export interface Use {
  readonly holder: string;
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  readonly count: number;
  readonly last: number;
}

export interface Denial {
  readonly time: number;
  readonly principal: string;
  readonly holder: string;
  readonly message: string;
  readonly looked: readonly {
    readonly kind: string;
    readonly policy: string;
    readonly index: number;
    readonly sid?: string;
    readonly effect: string;
    readonly outcome: string;
  }[];
  readonly missing?: object;
  /** What STS's DecodeAuthorizationMessage reads. */
  readonly encodedMessage: string;
}

export async function readPermissions(at: Endpoint): Promise<Permissions> {
  const { status, body } = await getJson(at, "/_thaw/permissions");
  const { uses, denials, message } = (body ?? {}) as Partial<Permissions> & { message?: string };
  if (status !== 200 || uses === undefined || denials === undefined)
    throw new OperatorError(message ?? `${at.endpoint} tells no permissions: it answered ${status}.`);
  return { uses, denials };
}

/** Whether an ARN is that of a role or user that was named by ARN or by name. */
export function isNamed(arn: string, name: string): boolean {
  return arn === name || arn.split("/").at(-1) === name;
}

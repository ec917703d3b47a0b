import { OperatorError } from "#core/errors";

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

export async function readPermissions(endpoint: string): Promise<Permissions> {
  let response: Response;
  try {
    response = await fetch(new URL("/_thaw/permissions", endpoint));
  } catch {
    throw new OperatorError(`There is no platform at ${endpoint}.`);
  }
  const answer = (await response.json().catch(() => ({}))) as Partial<Permissions> & { message?: string };
  const { uses, denials } = answer;
  if (!response.ok || uses === undefined || denials === undefined)
    throw new OperatorError(
      answer.message ?? `${endpoint} tells no permissions: it answered ${response.status}.`,
    );
  return { uses, denials };
}

/** Whether an ARN is that of a role or user that was named by ARN or by name. */
export function isNamed(arn: string, name: string): boolean {
  return arn === name || arn.split("/").at(-1) === name;
}

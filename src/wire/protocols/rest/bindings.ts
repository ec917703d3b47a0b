import type { Member, StructureShape } from "../../schema/model.ts";

/** Where the members of a REST operation's input, output or error travel. */
export interface RestBindings {
  readonly labels: readonly Member[];
  readonly query: readonly Member[];
  /** Takes every query parameter that no other member binds. */
  readonly queryParams: Member | undefined;
  readonly headers: readonly Member[];
  /** Maps of headers that share a prefix, such as `x-amz-meta-`. */
  readonly prefixHeaders: readonly Member[];
  readonly statusCode: Member | undefined;
  /** The member that is the body; there are no `body` members then. */
  readonly payload: Member | undefined;
  /** Members of the document in the body. */
  readonly body: readonly Member[];
}

export function bindingsOf(shape: StructureShape): RestBindings {
  const members = [...shape.members.values()];
  const bound = {
    labels: members.filter(({ traits }) => traits.httpLabel),
    query: members.filter(({ traits }) => traits.httpQuery !== undefined),
    queryParams: members.find(({ traits }) => traits.httpQueryParams),
    headers: members.filter(({ traits }) => traits.httpHeader !== undefined),
    prefixHeaders: members.filter(({ traits }) => traits.httpPrefixHeaders !== undefined),
    statusCode: members.find(({ traits }) => traits.httpResponseCode),
    payload: members.find(({ traits }) => traits.httpPayload),
  };
  const elsewhere = new Set<Member | undefined>(Object.values(bound).flat());
  return { ...bound, body: members.filter((member) => !elsewhere.has(member)) };
}

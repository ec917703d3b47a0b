import type { CallContext } from "#wire/operation";

/** What a queue's URL names; hosts do not matter, because each client knows this platform by another one. */
export interface QueueAddress {
  readonly account: string;
  readonly name: string;
}

/**
 * Reads `https://any.host/111111111111/name`, the path alone, and `https://host/queue/us-east-1/111111111111/name`: the
 * account and the name are the path's last two parts. `undefined` where there are none.
 */
export function parseQueueUrl(url: string): QueueAddress | undefined {
  const path = url.replace(/^[a-z]+:\/\/[^/]*/i, "").replace(/[?#].*$/s, "");
  const match = /(?:^|\/)(\d{12})\/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)\/?$/.exec(path);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { account: match[1], name: match[2] };
}

/** A queue's URL under the address that this caller used. */
export function queueUrl(call: Pick<CallContext, "baseUrl">, { account, name }: QueueAddress): string {
  return `${call.baseUrl}/${account}/${name}`;
}

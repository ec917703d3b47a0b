import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { parseArn } from "#core/arn";
import { servicePrincipal } from "#core/principal";
import { compileFilterPattern, type LogFilter } from "#patterns/filter/pattern";
import type { AwsCaller } from "#wire/operation";
import { eventId } from "../event-id.ts";
import { groupArn, type Scope } from "../store.ts";
import type { SubscriptionFilterDocument } from "./store.ts";

const compress = promisify(gzip);

/** Bytes of messages in one delivery, before they are compressed; an asynchronous payload of Lambda is 1 MB at most. */
const DELIVERY_BYTES = 512 * 1024;

/** The service that functions' policies are to allow. */
export const LOGS_SERVICE = "logs.amazonaws.com";

export interface SubscribedEvent {
  readonly sequence: number;
  readonly timestamp: number;
  readonly message: string;
}

/** A subscription filter at work: sends events that match to its function. */
export class Subscriber {
  readonly filter: SubscriptionFilterDocument;
  readonly #scope: Scope;
  readonly #caller: AwsCaller;
  readonly #matches: LogFilter;

  /** @throws FilterPatternError */
  constructor(scope: Scope, filter: SubscriptionFilterDocument, caller: AwsCaller) {
    this.filter = filter;
    this.#scope = scope;
    this.#caller = caller;
    this.#matches = compileFilterPattern(filter.pattern);
  }

  /** @returns how many events were sent, and in how many bytes, compressed. @throws AwsError what the destination answered */
  async take(stream: string, events: readonly SubscribedEvent[]): Promise<{ events: number; bytes: number }> {
    const matching = events.filter(({ message }) => this.#matches(message));
    let bytes = 0;
    for (const part of portions(matching)) bytes += await this.#send(stream, part);
    return { events: matching.length, bytes };
  }

  async #send(stream: string, events: readonly SubscribedEvent[]): Promise<number> {
    const { group, name, destinationArn } = this.filter;
    const message = {
      messageType: "DATA_MESSAGE",
      owner: this.#scope.account,
      logGroup: group,
      logStream: stream,
      subscriptionFilters: [name],
      logEvents: events.map((event) => ({
        id: eventId({ ...event, stream }),
        timestamp: event.timestamp,
        message: event.message,
      })),
    };
    const compressed = await compress(JSON.stringify(message));
    const data = compressed.toString("base64");
    await invokeDestination(this.#caller, this.#scope, group, destinationArn, {
      InvocationType: "Event",
      Payload: Buffer.from(JSON.stringify({ awslogs: { data } })),
    });
    return compressed.length;
  }
}

/** Invokes a subscription's function as CloudWatch Logs does: its policy must allow that for the group. @throws AwsError */
export async function invokeDestination(
  caller: AwsCaller,
  scope: Scope,
  group: string,
  destinationArn: string,
  input: { readonly InvocationType: "Event" | "DryRun"; readonly Payload?: Uint8Array },
): Promise<void> {
  const { account = scope.account, region = scope.region } = parseArn(destinationArn) ?? {};
  const principal = servicePrincipal(LOGS_SERVICE, {
    account,
    region: scope.region,
    sourceArn: `${groupArn(scope, group)}:*`,
    sourceAccount: scope.account,
  });
  await caller.call("lambda", "Invoke", { FunctionName: destinationArn, ...input }, { principal, region });
}

function* portions(events: readonly SubscribedEvent[]): Generator<readonly SubscribedEvent[]> {
  let part: SubscribedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    if (part.length > 0 && bytes + event.message.length > DELIVERY_BYTES) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(event);
    bytes += event.message.length;
  }
  if (part.length > 0) yield part;
}

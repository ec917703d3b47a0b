import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { MetricSink } from "#engine/contract";
import type { Documents } from "#storage/documents";
import type { Queue } from "#storage/queue";
import type { AwsCaller, ServiceDefinition } from "#wire/operation";
import { createSnsAuthorisation } from "./authorisation.ts";
import { Deliverer, type DelivererOptions } from "./delivery/delivery.ts";
import { Dispatcher } from "./delivery/dispatcher.ts";
import { Notices } from "./delivery/notices.ts";
import { createPost, httpTarget, type Post } from "./delivery/targets/http.ts";
import { lambdaTarget } from "./delivery/targets/lambda.ts";
import { applicationTarget, emailTarget, smsTarget } from "./delivery/targets/people.ts";
import { createQueueSender, sqsTarget } from "./delivery/targets/sqs.ts";
import { Worker } from "./delivery/worker.ts";
import type { SnsDeps } from "./deps.ts";
import { createSnsMetrics } from "./metrics.ts";
import { permissionOperations } from "./operations/permissions.ts";
import { applicationOperations } from "./operations/platform-applications.ts";
import { endpointOperations } from "./operations/platform-endpoints.ts";
import { publishOperations } from "./operations/publishing.ts";
import { smsOperations } from "./operations/sms.ts";
import { subscriptionOperations } from "./operations/subscriptions.ts";
import { topicOperations } from "./operations/topics.ts";
import { createOutbox, type OutboxEntry } from "./outbox.ts";
import { Publisher } from "./publisher.ts";
import { createSigner } from "./signing/signer.ts";
import { Confirmations } from "./subscription/confirmations.ts";
import { Filters } from "./subscription/filters.ts";
import { SubscriptionRegistry } from "./subscription/registry.ts";

export interface SnsOptions {
  readonly documents: Documents;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Reaches functions and queues. */
  readonly caller: AwsCaller;
  /** The platform's own address, for links in messages. */
  readonly url: () => string;
  readonly metrics?: MetricSink;
  /** Told of messages that were given up. */
  readonly onLost: DelivererOptions["onLost"];
  /** Told of what should not happen. */
  readonly onError: (error: unknown) => void;
  /** Posts to HTTP endpoints; by default over the network. */
  readonly post?: Post;
  /** How busy the event loop is, from 0 to 1. */
  readonly load?: () => number;
}

export interface SnsService extends ServiceDefinition {
  /** Takes up deliveries, also those that an earlier process left. */
  start(): void;
  /** Takes up no more deliveries, and waits up to `graceMs` for those under way. */
  stop(graceMs: number): Promise<void>;
  /** Forgets what it knows of the storage, after that was emptied. */
  reset(): void;
  /** The certificate behind a path, as PEM; undefined where the path is none of a certificate's. */
  certificate(path: string): Promise<string> | undefined;
  /** What would have been sent to people and devices, oldest first. */
  outbox(): readonly OutboxEntry[];
}

/** Amazon SNS: topics, their subscriptions, and the delivery of messages from the ones to the others. */
export function createSnsService(options: SnsOptions): SnsService {
  const { documents, queue, clock, ids, caller, url, onLost, onError } = options;
  const { post = createPost({ own: url, clock }), load } = options;
  const outbox = createOutbox({ documents, clock });
  const metrics = createSnsMetrics(options.metrics);
  const registry = new SubscriptionRegistry(documents);
  const filters = new Filters();
  const signer = createSigner({ documents, clock, ids, url });
  const notices = new Notices(signer, url);
  const queues = createQueueSender(caller, url);
  const email = emailTarget(outbox);
  const http = httpTarget(post);
  const deliverer = new Deliverer({
    documents,
    clock,
    notices,
    queues,
    metrics,
    onLost,
    targets: {
      lambda: lambdaTarget(caller),
      sqs: sqsTarget(queues),
      http,
      https: http,
      email,
      "email-json": email,
      sms: smsTarget(outbox, documents),
      application: applicationTarget(outbox, documents),
    },
  });
  const dispatcher = new Dispatcher({
    documents,
    queue,
    clock,
    registry,
    filters,
    deliverer,
    notices,
    post,
    outbox,
    metrics,
  });
  const confirmations = new Confirmations({
    documents,
    registry,
    clock,
    ids,
    send: (type, to) => dispatcher.confirm({ ...to, type, id: ids.uuid(), at: clock.now() }),
  });
  const publisher = new Publisher({
    documents,
    queue,
    clock,
    ids,
    registry,
    filters,
    onFiltered: (name, count) => metrics.count(name, "NumberOfNotificationsFilteredOut", count, clock.now()),
  });
  const worker = new Worker({
    queue,
    clock,
    kinds: dispatcher.kinds(),
    onError,
    ...(load === undefined ? {} : { load }),
  });
  const deps: SnsDeps = { documents, queue, clock, ids, outbox };
  return {
    name: "sns",
    authorisation: createSnsAuthorisation(documents),
    operations: {
      ...topicOperations(deps),
      ...permissionOperations(deps),
      ...subscriptionOperations(deps, { registry, confirmations }),
      ...publishOperations(deps, { publisher, metrics }),
      ...smsOperations(deps),
      ...applicationOperations(deps),
      ...endpointOperations(deps),
    },
    start: () => worker.start(),
    stop: (graceMs) => worker.close(graceMs),
    reset: () => signer.reset(),
    certificate: (path) => signer.certificate(path),
    outbox: () => outbox.list(),
  };
}

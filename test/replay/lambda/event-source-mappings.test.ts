import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../src/core/clock.ts";
import { AwsError } from "../../../src/core/errors.ts";
import { Pollers } from "../../../src/engine/pollers/pollers.ts";
import type { Polling } from "../../../src/services/lambda/mappings/mappings.ts";
import {
  ACCOUNT,
  createLambdaFixture,
  errorOf,
  REGION,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";
const arn = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
const QUEUE = arn("sqs", "queue");
const TABLE = arn("dynamodb", "table/table/stream/2026-01-01T00:00:00.000");
const STREAM = arn("kinesis", "stream/stream");

const unpolled = (problem: unknown) => {
  throw problem;
};
const polling: Polling = {
  services: new Set(["sqs", "kinesis", "dynamodb"]),
  pollers: new Pollers({ clock: new ManualClock(), onError: unpolled, most: 10 }),
  // Nothing ever comes.
  ready: () => (signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
};

type Input = Parameters<typeof lambda.call<"CreateEventSourceMapping">>[1];

beforeEach(async () => {
  // As recorded: in AWS all of these are polled.
  lambda = createLambdaFixture(storage(), { polling });
  await lambda.create(FunctionName);
});

const create = (input: Partial<Input> = {}) =>
  lambda.call("CreateEventSourceMapping", { FunctionName, ...input });
const get = (UUID: string | undefined) => lambda.call("GetEventSourceMapping", { UUID });

describe("event source mappings", () => {
  const lifecycle = {
    EventSourceArn: TABLE,
    DestinationConfig: { OnFailure: { Destination: QUEUE } },
    BatchSize: 1,
    StartingPosition: "TRIM_HORIZON",
    MaximumBatchingWindowInSeconds: 1,
    MaximumRetryAttempts: 1,
  } as const;

  test("test_event_source_mapping_lifecycle", async () => {
    const recording = new Recording("event-source-mappings", "test_event_source_mapping_lifecycle");
    const created = create(lifecycle);
    await recording.expect("create_response", created);
    const { UUID } = await created;
    await recording.expect("get_response", get(UUID));
    await recording.expect("delete_response", lambda.call("DeleteEventSourceMapping", { UUID }));
    expect((await errorOf(get(UUID))).status).toBe(404);
    // Its place is free again.
    await create(lifecycle);
  });

  test("test_event_source_mapping_lifecycle_delete_function", async () => {
    const scenario = "test_event_source_mapping_lifecycle_delete_function";
    const recording = new Recording("event-source-mappings", scenario);
    const created = create(lifecycle);
    await recording.expect("create_response", created);
    const { UUID } = await created;
    await recording.expect("get_response", get(UUID));
    await lambda.call("DeleteFunction", { FunctionName });
    await recording.expect("get_response_post_delete", get(UUID));
    await recording.expect("delete_response", lambda.call("DeleteEventSourceMapping", { UUID }));
  });

  test("test_event_source_mapping_exceptions", async () => {
    const recording = new Recording("event-source-mappings", "test_event_source_mapping_exceptions");
    const UUID = "00000000-0000-0000-0000-000000000000";
    await recording.expect("get_unknown_uuid", get(UUID));
    await recording.expect("delete_unknown_uuid", lambda.call("DeleteEventSourceMapping", { UUID }));
    const update = lambda.call("UpdateEventSourceMapping", { UUID, Enabled: false });
    await recording.expect("update_unknown_uuid", update);
    await recording.expect("create_no_event_source_arn", create());
    const unknown = create({ FunctionName: "doesnotexist", EventSourceArn: QUEUE });
    await recording.expect("create_unknown_params", unknown);
    const DestinationConfig = { OnSuccess: { Destination: QUEUE } };
    await recording.expect(
      "destination_config_failure",
      create({ EventSourceArn: QUEUE, DestinationConfig }),
    );
  });

  test("test_create_event_source_validation", async () => {
    const recording = new Recording("event-source-mappings", "test_create_event_source_validation");
    const EventSourceArn = TABLE;
    await recording.expect("no_starting_position", create({ EventSourceArn }));
    const timed = create({ EventSourceArn, StartingPosition: "AT_TIMESTAMP" });
    await recording.expect("incompatible_starting_position", timed);
    const kinesis = "test_create_event_source_validation_kinesis";
    const missing = create({ EventSourceArn: STREAM });
    await new Recording("event-source-mappings", kinesis).expect("no_starting_position", missing);
  });

  test("test_create_event_filter_criteria_validation", async () => {
    const scenario = "test_create_event_filter_criteria_validation";
    const recording = new Recording("event-source-mappings", scenario);
    const empty = create({
      EventSourceArn: TABLE,
      StartingPosition: "LATEST",
      FilterCriteria: { Filters: [] },
    });
    await recording.expect("response-with-empty-filters", empty);
  });

  test("test_duplicate_event_source_mappings", async () => {
    const recording = new Recording("event-source-mappings", "test_duplicate_event_source_mappings");
    const input = { EventSourceArn: QUEUE };
    await recording.expect("create", create(input));
    await recording.expect("error", create(input));
  });

  test("test_event_source_mapping_default_batch_size", async () => {
    const scenario = "test_event_source_mapping_default_batch_size";
    const recording = new Recording("event-source-mappings", scenario);
    const created = create({ EventSourceArn: QUEUE });
    await recording.expect("create-event-source-mapping", created);
    const { UUID } = await created;
    const tooMany = { MaximumBatchingWindowInSeconds: 0, BatchSize: 100 };
    const update = lambda.call("UpdateEventSourceMapping", { UUID, ...tooMany });
    await recording.expect("invalid-update-event-source-mapping", update);
    const other = create({ EventSourceArn: arn("sqs", "other"), ...tooMany });
    await recording.expect("invalid-create-event-source-mapping", other);
  });

  test("test_sqs_event_source_mapping_update", async () => {
    const scenario = "test_sqs_event_source_mapping_update";
    const recording = new Recording("event-source-mappings", scenario);
    await lambda.create("other");
    const created = create({ EventSourceArn: QUEUE, MaximumBatchingWindowInSeconds: 1 });
    await recording.expect("create-event-source-mapping-response", created);
    const { UUID } = await created;
    const update = lambda.call("UpdateEventSourceMapping", { UUID, FunctionName: "other" });
    await recording.expect("updated_esm", update);
    await recording.expect("updated_event_source_mapping", get(UUID));
  });

  test.each(["test_sqs_invalid_event_filter[None]", "test_sqs_invalid_event_filter[simple string]"])(
    "%s",
    async (scenario) => {
      const recording = new Recording("event-source-mappings", scenario);
      const Pattern = scenario.includes("None") ? undefined : "simple string";
      const created = create({ EventSourceArn: QUEUE, FilterCriteria: { Filters: [{ Pattern }] } });
      await recording.expect("create_event_source_mapping_exception", created);
    },
  );
});

describe("queues that cannot be polled", () => {
  const answer = (result: unknown) => lambda.answers.set("sqs.GetQueueAttributes", result);

  test.each([
    [
      "is missing",
      new AwsError("QueueDoesNotExist", "The specified queue does not exist."),
      "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.",
    ],
    [
      "is not the role's to read",
      new AwsError("AccessDenied", "No."),
      "The provided execution role does not have permissions to call ReceiveMessage on SQS",
    ],
    [
      "shows messages again before the function is done",
      { Attributes: { VisibilityTimeout: "2" } },
      "Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds",
    ],
  ])("one that %s", async (_, result, message) => {
    answer(result);
    expect(await errorOf(create({ EventSourceArn: QUEUE }))).toMatchObject({
      code: "InvalidParameterValueException",
      message,
    });
  });

  test("is looked at as the function's role", async () => {
    answer({ Attributes: { VisibilityTimeout: "3" } });
    await create({ EventSourceArn: QUEUE });
    expect(lambda.outgoing).toMatchObject([
      { operation: "GetQueueAttributes", by: { principal: { userId: `AROAEXAMPLE:${FunctionName}` } } },
    ]);
  });
});

describe("beyond the recordings", () => {
  test("a mapping to a source that nothing polls says so", async () => {
    const honest = createLambdaFixture(storage());
    await honest.create("mapped");
    const { UUID } = await honest.call("CreateEventSourceMapping", {
      FunctionName: "mapped",
      EventSourceArn: QUEUE,
    });
    expect(await honest.call("GetEventSourceMapping", { UUID })).toMatchObject({
      State: "Enabled",
      LastProcessingResult: "PROBLEM: nothing polls event sources of sqs on this platform yet.",
    });
    expect(await honest.call("UpdateEventSourceMapping", { UUID, Enabled: false })).toMatchObject({
      State: "Disabling",
    });
    const disabled = await honest.call("GetEventSourceMapping", { UUID });
    expect([disabled.State, disabled.LastProcessingResult]).toEqual(["Disabled", undefined]);
  });

  test.each([
    ["a queue with a starting position", { EventSourceArn: QUEUE, StartingPosition: "LATEST" }],
    ["a queue with a failure destination", { EventSourceArn: QUEUE, DestinationConfig: { OnFailure: {} } }],
    ["a topic to a queue", { EventSourceArn: QUEUE, Topics: ["topic"] }],
    ["a batch that FIFO queues do not have", { EventSourceArn: `${QUEUE}.fifo`, BatchSize: 11 }],
    ["a stream scaled as a queue", { EventSourceArn: STREAM, StartingPosition: "LATEST", ScalingConfig: {} }],
    ["a time that is missing", { EventSourceArn: STREAM, StartingPosition: "AT_TIMESTAMP" }],
    [
      "a record age that is too small",
      { EventSourceArn: STREAM, StartingPosition: "LATEST", MaximumRecordAgeInSeconds: 30 },
    ],
    ["a source that Lambda does not poll", { EventSourceArn: arn("sns", "topic") }],
    ["a broker without a queue", { EventSourceArn: arn("mq", "broker:name:b-1") }],
    ["a cluster without topics", { EventSourceArn: arn("kafka", "cluster/a/b"), StartingPosition: "LATEST" }],
    ["a key that does not exist here", { EventSourceArn: QUEUE, KMSKeyArn: arn("kms", "key/1") }],
    ["a version that is not there", { EventSourceArn: QUEUE, FunctionName: `${FunctionName}:7` }],
    [
      "more filters than AWS allows anybody",
      {
        EventSourceArn: QUEUE,
        FilterCriteria: { Filters: Array.from({ length: 11 }, () => ({ Pattern: '{"body":["a"]}' })) },
      },
    ],
    ["a poller alone", { EventSourceArn: QUEUE, ProvisionedPollerConfig: { MinimumPollers: 1 } }],
    [
      "fewer pollers at most than at least",
      { EventSourceArn: QUEUE, ProvisionedPollerConfig: { MinimumPollers: 9, MaximumPollers: 8 } },
    ],
    [
      "more pollers than a cluster has",
      {
        EventSourceArn: arn("kafka", "cluster/a/b"),
        Topics: ["topic"],
        StartingPosition: "LATEST",
        ProvisionedPollerConfig: { MaximumPollers: 2001 },
      },
    ],
    ["a tag of AWS's own", { EventSourceArn: QUEUE, Tags: { "aws:cloudformation:stack-name": "s" } }],
    ["an empty pattern", { EventSourceArn: QUEUE, FilterCriteria: { Filters: [{ Pattern: "{}" }] } }],
    [
      "an unknown operator",
      { EventSourceArn: QUEUE, FilterCriteria: { Filters: [{ Pattern: '{"body":[{"like":"x"}]}' }] } },
    ],
  ] as [string, Partial<Input>][])("refuses %s", async (_, input) => {
    expect(await errorOf(create(input))).toMatchObject({
      code: "InvalidParameterValueException",
      status: 400,
    });
    expect(await lambda.call("ListEventSourceMappings", {})).toEqual({ EventSourceMappings: [] });
  });

  test.each([
    { EventSourceArn: arn("mq", "broker:name:b-1"), Queues: ["q"], SourceAccessConfigurations: [] },
    { EventSourceArn: arn("kafka", "cluster/a/b"), Topics: ["topic"], StartingPosition: "LATEST" },
    {
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["host:9092"] } },
      SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: arn("secretsmanager", "secret:s") }],
      Topics: ["topic"],
      StartingPosition: "TRIM_HORIZON",
    },
    {
      EventSourceArn: arn("rds", "cluster:c"),
      StartingPosition: "LATEST",
      DocumentDBEventSourceConfig: { DatabaseName: "db" },
    },
  ] as Partial<Input>[])("takes every other kind of source", async (input) => {
    const { UUID } = await create(input);
    expect(await get(UUID)).toMatchObject({ ...input, State: "Enabled", BatchSize: 100 });
  });

  test("parallel creations of one mapping make one", async () => {
    const made = await Promise.allSettled(
      Array.from({ length: 10 }, () => create({ EventSourceArn: QUEUE })),
    );
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("lists are paged, and narrowed by source and function", async () => {
    await lambda.create("other");
    for (const name of ["a", "b", "c"]) await create({ EventSourceArn: arn("sqs", name) });
    await create({ EventSourceArn: QUEUE, FunctionName: "other" });
    const seen: unknown[] = [];
    let Marker: string | undefined;
    do {
      const page = await lambda.call("ListEventSourceMappings", { FunctionName, MaxItems: 2, Marker });
      seen.push(...(page.EventSourceMappings ?? []).map(({ EventSourceArn }) => EventSourceArn));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(new Set(seen)).toEqual(new Set(["a", "b", "c"].map((name) => arn("sqs", name))));
    expect(seen).toHaveLength(3);
    const { EventSourceMappings } = await lambda.call("ListEventSourceMappings", { EventSourceArn: QUEUE });
    expect(EventSourceMappings).toHaveLength(1);
  });

  test("test_tag_lifecycle[event_source_mapping]", async () => {
    const recording = new Recording("tags", "test_tag_lifecycle[event_source_mapping]");
    const { EventSourceMappingArn: Resource } = await create({ EventSourceArn: QUEUE });
    const step = async (name: string, outcome: Promise<unknown>) => {
      await recording.expect(`${name}_response`, outcome);
      await recording.expect(`${name}_response_listtags`, lambda.call("ListTags", { Resource }));
    };
    const tag = (Tags: Record<string, string>) => lambda.call("TagResource", { Resource, Tags });
    const untag = (...TagKeys: string[]) => lambda.call("UntagResource", { Resource, TagKeys });
    await step("tag_single", tag({ A: "tag-a" }));
    await step("tag_multiple", tag({ B: "tag-b", C: "tag-c" }));
    await step("tag_overlap", tag({ C: "tag-c-newsuffix", D: "tag-d" }));
    await step("untag_single", untag("A"));
    await step("untag_multiple", untag("B", "C"));
    await step("untag_nonexisting", untag("F"));
    await step("untag_existing_and_nonexisting", untag("D", "F"));
  });

  test.each([
    ["event_source_mapping", "event-source-mapping:00000000-0000-0000-0000-000000000000"],
    ["capacity_provider", "capacity-provider:absent"],
  ])("test_tag_exceptions[%s]", async (kind, resource) => {
    const recording = new Recording("tags", `test_tag_exceptions[${kind}]`);
    const Resource = arn("lambda", resource);
    await recording.expect(
      "not_found_exception_tag",
      lambda.call("TagResource", { Resource, Tags: { a: "b" } }),
    );
    const untag = lambda.call("UntagResource", { Resource, TagKeys: ["a"] });
    await recording.expect("not_found_exception_untag", untag);
    await recording.expect("not_found_exception_list", lambda.call("ListTags", { Resource }));
  });
});

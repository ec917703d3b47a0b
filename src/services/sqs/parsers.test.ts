import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AwsError } from "#core/errors";
import { applyAttributes } from "./attributes.ts";
import { attributesMd5, readMessageAttributes, selectAttributes } from "./message-attributes.ts";
import { readPageToken, writePageToken } from "./pages.ts";
import { parseQueueUrl } from "./queue-url.ts";
import { readReceiptHandle, writeReceiptHandle } from "./receipt-handle.ts";
import { decodeRecord, encodeRecord, messageUuid, sequenceNumber } from "./record.ts";

const hex = (length: number) =>
  fc
    .uint8Array({ minLength: length / 2, maxLength: length / 2 })
    .map((bytes) => Buffer.from(bytes).toString("hex"));

/** What a client sends may be refused, but only in AWS's words. */
function refusesOnlyByAwsErrors(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(AwsError);
  }
}

describe("receipt handles", () => {
  test("come back as they were written", () =>
    fc.assert(
      fc.property(hex(16), hex(16), hex(32), (queueId, messageId, lease) => {
        const handle = writeReceiptHandle({ queueId, messageId, lease });
        expect(handle).toMatch(/^AQEB/);
        expect(readReceiptHandle(handle)).toEqual({ queueId, messageId, lease });
      }),
    ));

  test("are told from any other text", () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        const receipt = readReceiptHandle(text);
        if (receipt !== undefined) expect(readReceiptHandle(writeReceiptHandle(receipt))).toEqual(receipt);
      }),
    ));
});

describe("queue URLs", () => {
  test.each([
    "http://localhost:4566/111111111111/q",
    "https://sqs.eu-west-1.amazonaws.com/111111111111/q",
    "https://queue.amazonaws.com/111111111111/q/",
    "http://localhost:4566/queue/us-east-1/111111111111/q",
    "/111111111111/q",
  ])("%s names account and queue, whatever its host", (url) => {
    expect(parseQueueUrl(url)).toEqual({ account: "111111111111", name: "q" });
  });

  test.each(["", "/", "q", "/q", "http://localhost/q", "http://localhost/11/q", "/111111111111/a b"])(
    "%j names none",
    (url) => expect(parseQueueUrl(url)).toBeUndefined(),
  );

  test("any text is read", () =>
    fc.assert(
      fc.property(fc.string(), fc.string(), (host, path) => {
        const address = parseQueueUrl(`http://${host}/111111111111/${path}`);
        if (address !== undefined) expect(address.name).toMatch(/^[A-Za-z0-9_-]{1,80}(\.fifo)?$/);
      }),
    ));
});

test("page tokens come back as they were written; others are refused", () =>
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string(), (name, other) => {
      expect(readPageToken(writePageToken(name))).toBe(name);
      refusesOnlyByAwsErrors(() => readPageToken(other));
    }),
  ));

test("stored messages come back as they were written", () =>
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (body, value) => {
      const header = { md5: "0", sender: value, attributes: { a: ["String", value] as const } };
      expect(decodeRecord(encodeRecord({ header, body }))).toEqual({ header, body });
    }),
  ));

test("ids are UUIDs of version 4 that differ; sequence numbers have twenty digits and grow", () => {
  const ids = ["0000000000000001", "0000000000000002", "00000000ffffffff"];
  const uuids = ids.map((id) => messageUuid("0011223344556677", id));
  for (const uuid of uuids)
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(uuids).size).toBe(3);
  const numbers = ids.map((id) => sequenceNumber(id));
  for (const number of numbers) expect(number).toMatch(/^\d{20}$/);
  expect(numbers.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(numbers);
});

describe("queue attributes", () => {
  const name = fc.constantFrom(
    "DelaySeconds",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "SqsManagedSseEnabled",
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "QueueArn",
    "__proto__",
  );
  const value = fc.oneof(
    fc.string(),
    fc.json(),
    fc.integer().map(String),
    fc.constantFrom("", "true", "false"),
  );

  test("are taken or refused as AWS refuses, whatever they are", () =>
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(name, fc.string()), value), fc.boolean(), (given, fifo) => {
        refusesOnlyByAwsErrors(() => applyAttributes({}, given, fifo));
      }),
    ));

  test.each([
    ["VisibilityTimeout", "43201"],
    ["VisibilityTimeout", "-1"],
    ["VisibilityTimeout", "1.5"],
    ["VisibilityTimeout", "x"],
    ["MaximumMessageSize", "1023"],
    ["MaximumMessageSize", "1048577"],
    ["MessageRetentionPeriod", "59"],
    ["SqsManagedSseEnabled", "yes"],
    ["Policy", "{"],
  ])("%s cannot be %s", (attribute, given) => {
    expect(() => applyAttributes({}, { [attribute]: given }, false)).toThrow(
      `Invalid value for the parameter ${attribute}.`,
    );
  });

  test.each([
    ["[]", "Redrive policy is not a valid JSON map."],
    ['{"maxReceiveCount":1}', "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."],
    [
      '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111111111111:q"}',
      "Redrive policy does not contain mandatory attribute: maxReceiveCount.",
    ],
    ['{"deadLetterTargetArn":"dummy","maxReceiveCount":42}', "Invalid value for deadLetterTargetArn."],
    [
      '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111111111111:q","maxReceiveCount":1001}',
      "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.",
    ],
  ])("RedrivePolicy cannot be %s", (RedrivePolicy, reason) => {
    expect(() => applyAttributes({}, { RedrivePolicy }, false)).toThrow(
      `Value ${RedrivePolicy} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
    );
  });

  test("high throughput is for queues that deduplicate by group", () => {
    const perGroup = { FifoThroughputLimit: "perMessageGroupId" };
    expect(() => applyAttributes({}, perGroup, true)).toThrow("FifoThroughputLimit");
    expect(applyAttributes({}, { ...perGroup, DeduplicationScope: "messageGroup" }, true)).toMatchObject(
      perGroup,
    );
  });
});

describe("message attributes", () => {
  const text = (StringValue: string, DataType = "String") => ({ DataType, StringValue });

  test("are taken or refused as AWS refuses, whatever they are", () =>
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.record({ DataType: fc.string(), StringValue: fc.string() })),
        (given) => {
          refusesOnlyByAwsErrors(() => readMessageAttributes(given));
        },
      ),
    ));

  test.each([
    [{ e: text("") }, "Message (user) attribute 'e' must contain a non-empty value of type 'String'."],
    [{ "aWs.x": text("v") }, "beginning with 'AWS.'"],
    [{ "AMAZON.x": text("v") }, "beginning with 'AWS.'"],
    [{ "x.": text("v") }, "'x.' is invalid"],
    [{ "x!": text("v") }, "'x!' is invalid"],
    [{ ["L".repeat(257)]: text("v") }, "must be shorter than 256 Bytes"],
    [{ x: text("v", "Invalid") }, "invalid message attribute type"],
    [{ x: text("1", `Number.${"L".repeat(256)}`) }, "invalid message attribute type"],
    [{ x: text("one", "Number") }, "to number"],
    [{ x: text("\u0008") }, "Invalid characters found"],
  ])("%j are refused", (given, words) => {
    expect(() => readMessageAttributes(given)).toThrow(words);
  });

  test("letters of any script may stand in a name", () => {
    expect(readMessageAttributes({ "attr.1øßä": text("v") })).toEqual({ "attr.1øßä": ["String", "v"] });
  });

  test("are chosen by name, by prefix, or all", () => {
    const all = readMessageAttributes({ Hello: text("1"), "Help.Me": text("2"), General: text("3") });
    const chosen = (...wanted: string[]) => Object.keys(selectAttributes(all, wanted));
    expect(chosen()).toEqual([]);
    expect(chosen("All")).toEqual(["Hello", "Help.Me", "General"]);
    expect(chosen(".*")).toEqual(["Hello", "Help.Me", "General"]);
    expect(chosen("Foo", "Hello")).toEqual(["Hello"]);
    expect(chosen("Hel.*")).toEqual(["Hello", "Help.Me"]);
  });

  /** Recorded of AWS: `test_system_attributes_have_no_effect_on_attr_md5`. */
  test("are digested as AWS digests them", () => {
    const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    expect(attributesMd5({ AWSTraceHeader: ["String", trace] })).toBe("5ae4d5d7636402d80f4eb6d213245a88");
    expect(attributesMd5({ timestamp: ["Number", "1493147359900"] })).toBe(
      "235c5c510d26fb653d073faed50ae77c",
    );
    expect(attributesMd5({})).toBeUndefined();
  });
});

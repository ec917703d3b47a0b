// Expectations are messages recorded of AWS.
import { readdirSync, readFileSync } from "node:fs";
import { createContext, Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { AwsError } from "#core/errors";
import { createModels } from "../schema/load.ts";
import { validateInput } from "./errors.ts";
import { compilePattern } from "./rules.ts";

const models = createModels();

function messageOf(serviceName: string, operationName: string, input: object): string {
  const service = models.get(serviceName);
  const operation = service.operations.get(operationName);
  if (operation === undefined) throw new Error(operationName);
  try {
    validateInput(service, operation, input);
  } catch (error) {
    if (error instanceof AwsError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "valid";
}

const role = "arn:aws:iam::123456789012:role/r";
const create = { FunctionName: "f", Role: role, Code: {} };

describe("patterns", () => {
  /** Patterns with the longest text that is tried on them. */
  const patterns = new Map<string, number>();
  const folder = new URL("../schema/constraints/", import.meta.url);
  const find = (rules: unknown): void => {
    if (typeof rules !== "object" || rules === null) return;
    const { pattern, max } = rules as { pattern?: unknown; max?: number };
    if (typeof pattern === "string")
      patterns.set(pattern, Math.max(patterns.get(pattern) ?? 0, max ?? 50_000));
    for (const value of Object.values(rules)) find(value);
  };
  for (const file of readdirSync(folder)) find(JSON.parse(readFileSync(new URL(file, folder), "utf8")));

  it("never backtrack for long on hostile text", () => {
    const starts = [
      "",
      "arn:aws:iam::",
      "arn:aws:lambda:us-east-1:000000000000:",
      "https://",
      "aws.partner/",
    ];
    const repeated = ["a", "0", " ", "-", ".", "/", ":", "\t", "a-", "a.", "a/", "a:", "//", "{"];
    const tried: { expression: RegExp; texts: string[] } = { expression: /./, texts: [] };
    const context = createContext(tried);
    // All texts of a pattern in one go: each run with a time-out takes a thread that watches it.
    const test = new Script("texts.forEach((text) => expression.test(text))");
    for (const [pattern, max] of patterns) {
      tried.expression = compilePattern(pattern);
      tried.texts = starts.flatMap((start) =>
        repeated.map((part) => `${start}${part.repeat(Math.ceil(Math.min(max, 4096) / part.length))}\u0001`),
      );
      // Exponential backtracking would take years; the time-out ends it, and with it the test.
      expect(() => test.runInContext(context, { timeout: 3000 }), pattern).not.toThrow();
    }
  });

  it.each(["a", " a", "a b\t c ", "\ta\t\tb", "\t", "", " ", "\n", "a\nb", "é", "a:b", "\t \t"])(
    "that were rewritten to take linear time match %j as before",
    (text) => {
      for (const pattern of patterns.keys())
        if (pattern.startsWith("^[ \\t]*["))
          expect(compilePattern(pattern).test(text)).toBe(new RegExp(pattern, "u").test(text));
    },
  );
});

describe("validation", () => {
  it("lets a right input pass", () => {
    expect(messageOf("lambda", "CreateFunction", { ...create, Timeout: 3, Architectures: ["arm64"] })).toBe(
      "valid",
    );
  });

  it("words patterns", () => {
    expect(messageOf("lambda", "CreateFunction", { ...create, Role: "r1" })).toBe(
      "ValidationException: 1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: " +
        String.raw`Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`,
    );
  });

  it("words enums within structures, in the recorded order", () => {
    expect(
      messageOf("lambda", "CreateFunction", { ...create, SnapStart: { ApplyOn: "invalidOption" } }),
    ).toBe(
      "ValidationException: 1 validation error detected: Value 'invalidOption' at 'snapStart.applyOn' failed to satisfy " +
        "constraint: Member must satisfy enum value set: [PublishedVersions, None]",
    );
  });

  it("words the elements of lists as one constraint of the list", () => {
    expect(messageOf("lambda", "CreateFunction", { ...create, Architectures: ["X86_64"] })).toBe(
      "ValidationException: 1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: " +
        "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    );
    expect(messageOf("lambda", "CreateFunction", { ...create, VpcConfig: { SubnetIds: ["bad"] } })).toBe(
      "ValidationException: 1 validation error detected: Value '[bad]' at 'vpcConfig.subnetIds' failed to satisfy constraint: " +
        "Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater " +
        "than or equal to 0, Member must satisfy regular expression pattern: subnet-[0-9a-z]*]",
    );
  });

  it("words lengths of lists and ranges of numbers", () => {
    expect(messageOf("lambda", "CreateFunction", { ...create, Architectures: ["x86_64", "arm64"] })).toBe(
      "ValidationException: 1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy " +
        "constraint: Member must have length less than or equal to 1",
    );
    expect(messageOf("logs", "FilterLogEvents", { logGroupName: "g", limit: 10_001 })).toBe(
      "InvalidParameterException: 1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: " +
        "Member must have value less than or equal to 10000",
    );
  });

  it("shows structures as AWS does", () => {
    const transformation = (n: number): object => ({
      metricName: `metric${n}`,
      metricNamespace: `namespace${n}`,
      metricValue: "1",
    });
    const message = messageOf("logs", "PutMetricFilter", {
      logGroupName: "g",
      filterName: "f",
      filterPattern: "p",
      metricTransformations: [transformation(1), transformation(2)],
    });
    expect(message).toContain(
      "MetricTransformation(metricName=metric1, metricNamespace=namespace1, metricValue=1, defaultValue=null",
    );
    expect(message).toContain(
      "at 'metricTransformations' failed to satisfy constraint: Member must have length less than or equal to 1",
    );
  });

  it("tells several violations in one message", () => {
    const name = "This should fail with two errors 123467890123412341234123412341234";
    expect(
      messageOf("events", "CreateConnection", {
        Name: name,
        AuthorizationType: "INVALID",
        AuthParameters: {},
      }),
    ).toBe(
      "ValidationException: 3 validation errors detected: " +
        String.raw`Value '${name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_A-Za-z0-9]+; ` +
        `Value '${name}' at 'name' failed to satisfy constraint: Member must have length less than or equal to 64; ` +
        "Value 'INVALID' at 'authorizationType' failed to satisfy constraint: Member must satisfy enum value set: [BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]",
    );
  });

  it("names missing members with their place in lists and maps", () => {
    expect(
      messageOf("sns", "PublishBatch", {
        TopicArn: "t",
        PublishBatchRequestEntries: [{ Id: "1", Message: "m", MessageAttributes: { attr1: {} } }],
      }),
    ).toBe(
      "ValidationError: 1 validation error detected: Value null at " +
        "'publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType' failed to satisfy constraint: Member must not be null",
    );
  });

  it("keeps values out of IAM's messages", () => {
    expect(
      messageOf("iam", "UpdateServiceSpecificCredential", {
        ServiceSpecificCredentialId: "a-b",
        Status: "Active",
      }),
    ).toContain(
      String.raw`Value at 'serviceSpecificCredentialId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w]+`,
    );
  });

  it("is done with hostile text at once", () => {
    const text = `${"a".repeat(5_000_000)}!`;
    expect(messageOf("lambda", "GetFunction", { FunctionName: text })).toContain("less than or equal to");
  });
});

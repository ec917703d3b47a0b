// Both major versions of the AWS CLI against one booted platform. Version 2 takes and prints binary parameters as base64
// unless told otherwise, and older ones of it speak the query protocol to SQS.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HELLO, ROLE, RUNTIME } from "../lifecycle/support.ts";
import { AWS_CLI_VERSIONS, AwsCli, type AwsCliVersion, hasAwsCli } from "../support/aws-cli.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

describe.each(AWS_CLI_VERSIONS)("version %d of the AWS CLI (needs it on PATH)", (version) => {
  // Each of its many calls is the start of a large Python program.
  describe.skipIf(!hasAwsCli(version))("installed", { timeout: 300_000 }, () => commands(version));
});

function commands(version: AwsCliVersion): void {
  const name = `cli-${version}`;
  let folder: string;
  let aws: AwsCli;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "thaw-cli-"));
    aws = new AwsCli(version, platform.url, folder);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("lambda, logs: creates, waits, invokes, reads logs, and deletes", async () => {
    await writeFile(join(folder, "function.zip"), await zipOf({ "index.js": HELLO }));
    const named = ["--function-name", name];
    const code = ["--runtime", RUNTIME, "--handler", "index.handler", "--zip-file", "fileb://function.zip"];
    const created = await aws.json("lambda", "create-function", ...named, ...code, "--role", ROLE);
    expect(created).toMatchObject({ FunctionName: name, State: "Pending" });
    expect(await aws.text("lambda", "wait", "function-active-v2", ...named)).toBe("");

    const payload = ["--payload", version === 1 ? '{"n":5}' : Buffer.from('{"n":5}').toString("base64")];
    const invoked = await aws.json(
      "lambda",
      "invoke",
      ...named,
      ...payload,
      "--log-type",
      "Tail",
      "out.json",
    );
    const LogResult = expect.any(String) as string;
    expect(invoked).toEqual({ StatusCode: 200, ExecutedVersion: "$LATEST", LogResult });
    expect(Buffer.from(String(invoked["LogResult"]), "base64").toString()).toContain('hello {"n":5}');
    expect(await readFile(join(folder, "out.json"), "utf8")).toBe('{"hello":{"n":5}}');

    const unknown = await aws.run(["lambda", "get-function", "--function-name", "nobody"]);
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain("(ResourceNotFoundException) when calling the GetFunction operation");
    expect(unknown.stderr).toContain(
      ": Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody",
    );
    if (version === 2) {
      const raw = ["--cli-binary-format", "raw-in-base64-out", "--payload", '"raw"'];
      await aws.json("lambda", "invoke", ...named, ...raw, "raw.json");
      expect(await readFile(join(folder, "raw.json"), "utf8")).toBe('{"hello":"raw"}');
      const tail = await aws.text("logs", "tail", `/aws/lambda/${name}`, "--format", "short");
      expect(tail).toMatch(/INIT_START.*\n.*START .*\n.*hello \{"n":5\}\n.*END .*\n.*REPORT/);
    }
    await aws.text("lambda", "delete-function", ...named);
  });

  it("s3: makes, syncs, lists, reads, moves and removes", async () => {
    const tree = join(folder, "tree");
    await mkdir(join(tree, "sub folder"), { recursive: true });
    // Beyond eight megabytes, the CLI uploads in parts.
    const large = Buffer.alloc(9 << 20, "0123456789");
    await Promise.all([
      writeFile(join(tree, "large"), large),
      writeFile(join(tree, "sub folder/ä+b.txt"), "text"),
    ]);
    const bucket = `s3://${name}`;
    await aws.text("s3", "mb", bucket);
    await aws.text("s3", "sync", "tree", `${bucket}/to`, "--no-progress");
    const listed = await aws.text("s3", "ls", bucket, "--recursive", "--summarize");
    expect(listed).toContain("to/sub folder/ä+b.txt");
    expect(listed).toMatch(/Total Objects: 2\s+Total Size: 9437188/);
    expect(await aws.text("s3", "sync", "tree", `${bucket}/to`, "--no-progress")).toBe("");
    await aws.text("s3", "cp", `${bucket}/to/large`, "back", "--no-progress");
    expect((await readFile(join(folder, "back"))).equals(large)).toBe(true);
    await aws.text("s3", "mv", `${bucket}/to/large`, `${bucket}/moved`, "--no-progress");
    const piped = await aws.run(["s3", "cp", "-", `${bucket}/piped`], "from a pipe");
    expect(piped).toMatchObject({ code: 0, stderr: "" });

    // Version 1 signs URLs of us-east-1 by version 2 of signatures unless told otherwise.
    await aws.text("configure", "set", "default.s3.signature_version", "s3v4");
    const url = (await aws.text("s3", "presign", `${bucket}/piped`)).trim();
    expect(await (await fetch(url)).text()).toBe("from a pipe");
    const head = ["s3api", "head-object", "--bucket", name, "--key"];
    expect(await aws.json(...head, "moved")).toMatchObject({ ContentLength: large.length });
    const missing = await aws.run([...head, "nothing"]);
    expect(missing.stderr).toMatch(/\(404\) when calling the HeadObject operation.*: Not Found/);
    // Which empties it first.
    await aws.text("s3", "rb", bucket, "--force");
  });

  it("sns, sqs: publishes to a queue, which receives and deletes", async () => {
    const arn = `arn:aws:sqs:us-east-1:000000000000:${name}`;
    const grant = { Effect: "Allow", Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage" };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [{ ...grant, Resource: arn }] });
    const attributes = ["--attributes", JSON.stringify({ Policy, DelaySeconds: "0" })];
    const { QueueUrl } = await aws.json("sqs", "create-queue", "--queue-name", name, ...attributes);
    const queue = ["--queue-url", String(QueueUrl)];
    const { TopicArn } = await aws.json("sns", "create-topic", "--name", name);
    const topic = ["--topic-arn", String(TopicArn)];
    const subscription = ["--protocol", "sqs", "--notification-endpoint", arn];
    await aws.json("sns", "subscribe", ...topic, ...subscription, "--attributes", "RawMessageDelivery=true");
    const attribute = '{"n":{"DataType":"Number","StringValue":"7"}}';
    const published = ["--message", "from the shell", "--message-attributes", attribute];
    await aws.json("sns", "publish", ...topic, ...published);

    const receive = ["sqs", "receive-message", ...queue, "--wait-time-seconds", "20"];
    const { Messages } = await aws.json(...receive, "--message-attribute-names", "All");
    expect(Messages).toMatchObject([
      { Body: "from the shell", MessageAttributes: { n: { DataType: "Number", StringValue: "7" } } },
    ]);
    const [{ ReceiptHandle = "" } = {}] = Messages as { ReceiptHandle?: string }[];
    await aws.json("sqs", "delete-message", ...queue, "--receipt-handle", ReceiptHandle);
    // A binary attribute, which version 2 takes as base64.
    const binary = version === 1 ? "bytes" : Buffer.from("bytes").toString("base64");
    const sent = `{"b":{"DataType":"Binary","BinaryValue":"${binary}"}}`;
    await aws.json("sqs", "send-message", ...queue, "--message-body", "binary", "--message-attributes", sent);
    const again = await aws.json(...receive, "--message-attribute-names", "All");
    expect(again["Messages"]).toMatchObject([
      { MessageAttributes: { b: { BinaryValue: Buffer.from("bytes").toString("base64") } } },
    ]);
    await aws.json("sqs", "delete-queue", ...queue);
    const gone = await aws.run(["sqs", "get-queue-url", "--queue-name", name]);
    expect(gone.stderr).toContain("(AWS.SimpleQueueService.NonExistentQueue)");
  });

  it("iam, sts: makes a role and says who one is", async () => {
    expect(await aws.json("sts", "get-caller-identity")).toMatchObject({ Account: "000000000000" });
    const principal = { Service: "lambda.amazonaws.com" };
    const statement = { Effect: "Allow", Principal: principal, Action: "sts:AssumeRole" };
    const trust = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    const role = ["--role-name", name];
    await aws.json("iam", "create-role", ...role, "--assume-role-policy-document", trust);
    expect(await aws.json("iam", "get-role", ...role)).toMatchObject({
      Role: { RoleName: name, AssumeRolePolicyDocument: { Statement: [statement] } },
    });
    const names = await aws.text("iam", "list-roles", "--query", "Roles[].RoleName", "--output", "text");
    expect(names.trim().split(/\s+/)).toEqual(expect.arrayContaining(["thaw-basic-execution", name]));
  });

  it("cloudwatch: puts and reads a metric", async () => {
    const metric = ["--namespace", name, "--metric-name", "Seen"];
    await aws.text("cloudwatch", "put-metric-data", ...metric, "--value", "3");
    const at = (offset: number): string => new Date(Date.now() + offset).toISOString();
    const range = ["--start-time", at(-3_600_000), "--end-time", at(60_000), "--period", "3600"];
    const statistics = ["cloudwatch", "get-metric-statistics", ...metric, ...range, "--statistics", "Sum"];
    expect(await aws.json(...statistics)).toMatchObject({ Label: "Seen", Datapoints: [{ Sum: 3 }] });
  });
}

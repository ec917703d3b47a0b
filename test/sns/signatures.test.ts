import { createPublicKey, createVerify, generateKeyPairSync } from "node:crypto";
import { createServer, globalAgent } from "node:https";
import type { AddressInfo } from "node:net";
import MessageValidator from "sns-validator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCertificate } from "../../src/core/x509/certificate.ts";
import { createSnsFixture, type SnsFixture } from "../support/sns-service.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

describe("what is signed", () => {
  let sns: SnsFixture;
  beforeEach(async () => {
    sns = await createSnsFixture();
  });
  afterEach(() => sns.close());

  async function published(SignatureVersion: string, more: object = {}): Promise<Record<string, string>> {
    const topic = await sns.topic("one", { SignatureVersion });
    const queue = await sns.queue("queue");
    await sns.subscribe(topic, "sqs", queue.arn);
    await sns.call("Publish", { TopicArn: topic, Message: "grüße\n\u2028", ...more });
    await sns.quiet();
    const [message] = await sns.drain(queue.url);
    return JSON.parse(message?.Body ?? "") as Record<string, string>;
  }

  /** Serves the certificate by itself over TLS, as the validator asks for it, and lets the validator judge. */
  async function judge(message: Record<string, string>): Promise<string> {
    const path = new URL(message["SigningCertURL"] ?? "").pathname;
    const certificate = await sns.service.certificate(path);
    const tls = makeCertificate({
      commonName: "localhost",
      publicKey,
      issuer: { commonName: "localhost", privateKey, publicKey },
      use: "server",
      names: ["localhost"],
      serial: Buffer.from([1]),
      from: Date.now(),
      days: 1,
    });
    const server = createServer(
      { key: privateKey.export({ type: "pkcs8", format: "pem" }), cert: tls },
      (request, response) => response.end(request.url === path ? certificate : "no"),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { ca } = globalAgent.options;
    globalAgent.options.ca = tls;
    try {
      return await new Promise((resolve) => {
        const served = { ...message, SigningCertURL: `https://localhost:${port}${path}` };
        new MessageValidator(/^localhost:\d+$/).validate(served, (error) =>
          resolve(error === null ? "valid" : error.message),
        );
      });
    } finally {
      globalAgent.options.ca = ca;
      server.closeAllConnections();
      server.close();
    }
  }

  it.each(["1", "2"])("is accepted by sns-validator in version %s, and nothing else is", async (version) => {
    const message = await published(version, { Subject: "Hello" });
    expect(message["SignatureVersion"]).toBe(version);
    expect(await judge(message)).toBe("valid");
    expect(await judge({ ...message, Message: "something else" })).toBe("The message signature is invalid.");
  });

  it("holds a subscription's confirmation with its token", async () => {
    await sns.subscribe(await sns.topic("one"), "http", "http://endpoint.example.org/");
    await sns.quiet();
    const message = JSON.parse(sns.posted[0]?.body ?? "") as Record<string, string>;
    expect(await judge(message)).toBe("valid");
    expect(await judge({ ...message, Token: "0" })).toBe("The message signature is invalid.");
  });

  it("holds what the documentation says of an ended subscription", async () => {
    const topic = await sns.topic("one");
    const subscription = await sns.subscribe(topic, "http", "http://endpoint.example.org/");
    await sns.quiet();
    const { Token } = JSON.parse(sns.posted[0]?.body ?? "") as { Token: string };
    await sns.call("ConfirmSubscription", { TopicArn: topic, Token });
    await sns.call("Unsubscribe", { SubscriptionArn: subscription });
    await sns.quiet();
    const message = JSON.parse(sns.posted[1]?.body ?? "") as Record<string, string>;
    const names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
    const text = names.map((name) => `${name}\n${message[name]}\n`).join("");
    const pem = await sns.service.certificate(new URL(message["SigningCertURL"] ?? "").pathname);
    const verifier = createVerify("RSA-SHA1").update(text);
    expect(verifier.verify(createPublicKey(pem ?? ""), message["Signature"] ?? "", "base64")).toBe(true);
  });
});

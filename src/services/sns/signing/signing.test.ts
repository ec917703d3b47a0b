import { createPublicKey, createVerify, generateKeyPairSync, X509Certificate } from "node:crypto";
import { createServer, globalAgent } from "node:https";
import type { AddressInfo } from "node:net";
import * as fc from "fast-check";
import MessageValidator from "sns-validator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSnsFixture, type SnsFixture } from "../../../../test/support/sns-service.ts";
import { selfSignedCertificate } from "./certificate.ts";
import { integer, objectIdentifier, octetString, sequence, time } from "./der.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

describe("certificates", () => {
  const from = Date.UTC(2026, 5, 1);
  const pem = selfSignedCertificate({
    privateKey,
    publicKey,
    commonName: "sns.amazonaws.com",
    dnsNames: ["sns.amazonaws.com", "localhost"],
    serial: Buffer.from("ff00112233445566778899aabbccddee", "hex"),
    from,
    days: 365,
  });

  it("are what OpenSSL reads", () => {
    const certificate = new X509Certificate(pem);
    expect(certificate.subject).toBe("CN=sns.amazonaws.com");
    expect(certificate.issuer).toBe("CN=sns.amazonaws.com");
    expect(certificate.serialNumber).toBe("FF00112233445566778899AABBCCDDEE");
    expect(certificate.subjectAltName).toBe("DNS:sns.amazonaws.com, DNS:localhost");
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
    expect(Date.parse(certificate.validFrom)).toBe(Date.UTC(2026, 4, 31));
    expect(Date.parse(certificate.validTo)).toBe(Date.UTC(2027, 5, 1));
  });
});

describe("DER", () => {
  it("writes integers of any size so that they stay positive", () => {
    expect(integer(Buffer.from([0, 0, 0x7f])).toString("hex")).toBe("02017f");
    expect(integer(Buffer.from([0x80])).toString("hex")).toBe("02020080");
    expect(integer(Buffer.alloc(3)).toString("hex")).toBe("020100");
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 160n }), (number) => {
        const digits = number.toString(16);
        const der = integer(Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex"));
        expect(BigInt(`0x${der.subarray(2).toString("hex")}`)).toBe(number);
        expect((der[2] ?? 0) < 0x80).toBe(true);
      }),
    );
  });

  it("writes lengths in as few bytes as they need", () => {
    expect(octetString(Buffer.alloc(127)).subarray(0, 2).toString("hex")).toBe("047f");
    expect(octetString(Buffer.alloc(128)).subarray(0, 3).toString("hex")).toBe("048180");
    expect(sequence(Buffer.alloc(65_536)).subarray(0, 5).toString("hex")).toBe("3083010000");
  });

  it("writes object identifiers and times", () => {
    expect(objectIdentifier("1.2.840.113549.1.1.11").toString("hex")).toBe("06092a864886f70d01010b");
    expect(
      time(Date.UTC(2049, 11, 31, 23, 59, 59))
        .subarray(2)
        .toString(),
    ).toBe("491231235959Z");
    expect(
      time(Date.UTC(2050, 0, 1))
        .subarray(2)
        .toString(),
    ).toBe("20500101000000Z");
  });
});

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
    const tls = selfSignedCertificate({
      privateKey,
      publicKey,
      commonName: "localhost",
      dnsNames: ["localhost"],
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

import { generateKeyPairSync, X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { selfSignedCertificate } from "./certificate.ts";
import { integer, objectIdentifier, octetString, sequence, time } from "./der.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });

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

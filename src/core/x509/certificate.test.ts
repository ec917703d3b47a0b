import { generateKeyPairSync, X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeCertificate } from "./certificate.ts";
import { integer, objectIdentifier, octetString, sequence, time } from "./der.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });

const from = Date.UTC(2026, 5, 1);
const serial = Buffer.from("ff00112233445566778899aabbccddee", "hex");

describe("certificates", () => {
  const commonName = "sns.amazonaws.com";
  const issuer = { commonName, privateKey, publicKey };

  it("are what OpenSSL reads", () => {
    const names = [commonName, "localhost"];
    const certificate = new X509Certificate(
      makeCertificate({ commonName, publicKey, issuer, use: "signing", names, serial, from, days: 365 }),
    );
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

  it("of servers are issued by an authority, for names and addresses", () => {
    const authority = { commonName: "authority", ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
    const server = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const common = { serial, from, days: 10 };
    const root = new X509Certificate(
      makeCertificate({ ...authority, issuer: authority, use: "authority", names: [], ...common }),
    );
    const names = [
      "localhost",
      "*.s3.localhost",
      "127.0.0.1",
      "::1",
      "2001:db8:0:1::ffff:1.2.3.4",
      "fe80::1%eth0",
    ];
    const leaf = new X509Certificate(
      makeCertificate({ ...server, commonName: "leaf", issuer: authority, use: "server", names, ...common }),
    );
    expect(root.ca).toBe(true);
    expect(root.checkIssued(root)).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkIssued(root)).toBe(true);
    expect(leaf.verify(authority.publicKey)).toBe(true);
    expect(leaf.verify(server.publicKey)).toBe(false);
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    for (const address of ["127.0.0.1", "::1", "2001:db8:0:1:0:ffff:102:304", "fe80::1"])
      expect(leaf.checkIP(address)).toBe(address);
    expect(leaf.checkIP("127.0.0.2")).toBeUndefined();
    expect(leaf.checkHost("bucket.s3.localhost")).toBe("*.s3.localhost");
    expect(leaf.checkHost("example.org")).toBeUndefined();
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

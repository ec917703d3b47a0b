import { X509Certificate } from "node:crypto";
import { iamErrors } from "./errors.ts";

/** @throws AwsError MalformedCertificate */
export function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw iamErrors.malformedCertificate();
  }
}

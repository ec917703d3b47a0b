import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import { parseCertificate } from "../certificates.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { paginate, type SigningCertificateDocument } from "../store.ts";
import { belongingsOf, statusOf } from "../user-belongings.ts";

type Iam = typeof client;

/** X.509 certificates of users, which old SOAP interfaces take at AWS: records here. */
export function signingCertificateOperations({ documents, clock, ids }: IamDeps) {
  const belongings = belongingsOf<SigningCertificateDocument>(
    documents,
    "user-signing-certificate",
    iamErrors.signingCertificateMissing,
  );

  const UploadSigningCertificate: Handler<Iam, "UploadSigningCertificate"> = async (input, call) => {
    const user = belongings.userOf(call, input.UserName);
    const body = input.CertificateBody ?? "";
    const { fingerprint256: fingerprint } = parseCertificate(body);
    const value: SigningCertificateDocument = {
      id: ids.base32(32),
      body,
      fingerprint,
      uploaded: clock.now(),
      active: true,
    };
    await belongings.add(call, user, value, (others) => {
      const same = others.find((other) => other.fingerprint === fingerprint);
      if (same !== undefined) throw iamErrors.signingCertificateExists(same.id);
      if (others.length >= LIMITS.signingCertificatesPerUser)
        throw iamErrors.quota("SigningCertificatesPerUser", LIMITS.signingCertificatesPerUser);
    });
    return { Certificate: describe(user, value) };
  };

  const ListSigningCertificates: Handler<Iam, "ListSigningCertificates"> = (input, call) => {
    const user = belongings.userOf(call, input.UserName);
    const { items, paging } = paginate(input, belongings.all(call, user), ({ id }) => id);
    return { Certificates: items.map((one) => describe(user, one)), ...paging };
  };

  const UpdateSigningCertificate: Handler<Iam, "UpdateSigningCertificate"> = (input, call) =>
    belongings.switch(call, belongings.userOf(call, input.UserName), input.CertificateId, input.Status);

  const DeleteSigningCertificate: Handler<Iam, "DeleteSigningCertificate"> = (input, call) =>
    belongings.delete(call, belongings.userOf(call, input.UserName), input.CertificateId);

  return {
    UploadSigningCertificate,
    ListSigningCertificates,
    UpdateSigningCertificate,
    DeleteSigningCertificate,
  } satisfies OperationsOf<Iam>;
}

function describe(user: string, certificate: SigningCertificateDocument) {
  return {
    UserName: user,
    CertificateId: certificate.id,
    CertificateBody: certificate.body,
    Status: statusOf(certificate),
    UploadDate: new Date(certificate.uploaded),
  };
}

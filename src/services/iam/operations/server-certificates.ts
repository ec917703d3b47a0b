import { createPrivateKey, type X509Certificate } from "node:crypto";
import type * as client from "@aws-sdk/client-iam";
import { RevisionConflict } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { parseCertificate } from "../certificates.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { requireRoom } from "../quotas.ts";
import type { Tags } from "../store.ts";
import { addTags, paginate, REGION, tagList, tagMember, valuesUnder, where } from "../store.ts";
import { tagsOf } from "../tagging.ts";

type Iam = typeof client;

interface CertificateDocument {
  readonly name: string;
  /** `ASCA…` */
  readonly id: string;
  readonly path: string;
  readonly uploaded: number;
  readonly expires: number;
  readonly body: string;
  readonly chain?: string;
  readonly tags: Tags;
}

/** Certificates of servers as records. Nothing here serves with them, so their private keys are checked and not kept. */
export function serverCertificateOperations({ documents, clock, ids }: IamDeps) {
  const kindKey = (account: string) => [account, REGION, "server-certificate"] as const;
  const keyOf = (account: string, name: string) => [...kindKey(account), name.toLowerCase()] as const;

  const UploadServerCertificate: Handler<Iam, "UploadServerCertificate"> = async (input, call) => {
    const name = input.ServerCertificateName ?? "";
    const body = input.CertificateBody ?? "";
    const certificate = parseCertificate(body);
    requireKeyPair(certificate, input.PrivateKey ?? "");
    if (input.CertificateChain !== undefined) parseCertificate(input.CertificateChain);
    const value: CertificateDocument = {
      name,
      id: `ASCA${ids.base32(17)}`,
      path: input.Path ?? "/",
      uploaded: clock.now(),
      expires: Date.parse(certificate.validTo),
      body,
      ...(input.CertificateChain === undefined ? {} : { chain: input.CertificateChain }),
      tags: addTags({}, input.Tags),
    };
    const key = keyOf(call.account, name);
    requireRoom(documents, key);
    try {
      await documents.commit([{ key, value, expected: 0 }]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw iamErrors.certificateExists(name);
      throw error;
    }
    return { ServerCertificateMetadata: describe(call.account, value), ...tagMember(value.tags) };
  };

  const GetServerCertificate: Handler<Iam, "GetServerCertificate"> = (input, { account }) => {
    const found = requireCertificate(account, input.ServerCertificateName).value;
    return {
      ServerCertificate: {
        ServerCertificateMetadata: describe(account, found),
        CertificateBody: found.body,
        ...(found.chain === undefined ? {} : { CertificateChain: found.chain }),
        Tags: tagList(found.tags),
      },
    };
  };

  const ListServerCertificates: Handler<Iam, "ListServerCertificates"> = (input, { account }) => {
    const all = valuesUnder<CertificateDocument>(documents, kindKey(account));
    const matching = where(all, ({ path }) => path.startsWith(input.PathPrefix ?? "/"));
    const { items, paging } = paginate(input, matching, ({ name }) => name.toLowerCase());
    return { ServerCertificateMetadataList: items.map((one) => describe(account, one)), ...paging };
  };

  const UpdateServerCertificate: Handler<Iam, "UpdateServerCertificate"> = async (input, { account }) => {
    const { key } = requireCertificate(account, input.ServerCertificateName);
    await revise<CertificateDocument>(documents, key, () => {
      const { value } = requireCertificate(account, input.ServerCertificateName);
      const name = input.NewServerCertificateName ?? value.name;
      const next = { ...value, name, path: input.NewPath ?? value.path };
      if (name.toLowerCase() === value.name.toLowerCase()) return [{ key, value: next }];
      const target = keyOf(account, name);
      if (documents.get(target) !== undefined) throw iamErrors.certificateExists(name);
      return [
        { key, delete: true },
        { key: target, value: next, expected: 0 },
      ];
    });
    return {};
  };

  const DeleteServerCertificate: Handler<Iam, "DeleteServerCertificate"> = async (input, { account }) => {
    const { key } = requireCertificate(account, input.ServerCertificateName);
    await documents.commit([{ key, delete: true }]);
    return {};
  };

  const tags = tagsOf(documents, requireCertificate);
  const TagServerCertificate: Handler<Iam, "TagServerCertificate"> = (input, { account }) =>
    tags.tag(account, input.ServerCertificateName, input);
  const UntagServerCertificate: Handler<Iam, "UntagServerCertificate"> = (input, { account }) =>
    tags.untag(account, input.ServerCertificateName, input);
  const ListServerCertificateTags: Handler<Iam, "ListServerCertificateTags"> = (input, { account }) =>
    tags.list(account, input.ServerCertificateName, input);

  function requireCertificate(account: string, name = "") {
    const found = documents.get<CertificateDocument>(keyOf(account, name));
    if (found === undefined || found.value.name !== name) throw iamErrors.certificateMissing(name);
    return found;
  }

  return {
    UploadServerCertificate,
    GetServerCertificate,
    ListServerCertificates,
    UpdateServerCertificate,
    DeleteServerCertificate,
    TagServerCertificate,
    UntagServerCertificate,
    ListServerCertificateTags,
  } satisfies OperationsOf<Iam>;
}

/** @throws AwsError MalformedCertificate, KeyPairMismatch */
function requireKeyPair(certificate: X509Certificate, pem: string): void {
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(pem));
  } catch {
    throw iamErrors.malformedPrivateKey();
  }
  if (!matches) throw iamErrors.keyPairMismatch();
}

function describe(account: string, certificate: CertificateDocument) {
  return {
    Path: certificate.path,
    ServerCertificateName: certificate.name,
    ServerCertificateId: certificate.id,
    Arn: `arn:aws:iam::${account}:server-certificate${certificate.path}${certificate.name}`,
    UploadDate: new Date(certificate.uploaded),
    Expiration: new Date(certificate.expires),
  };
}

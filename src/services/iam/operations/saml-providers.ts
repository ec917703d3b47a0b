import { createPrivateKey } from "node:crypto";
import type * as client from "@aws-sdk/client-iam";
import { RevisionConflict, type Change, type DocumentKey } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { requireRoom } from "../quotas.ts";
import { addTags, REGION, tagList, tagMember, valuesUnder, type Tags } from "../store.ts";
import { tagsOf } from "../tagging.ts";

type Iam = typeof client;

interface SamlProviderDocument {
  readonly name: string;
  readonly id: string;
  readonly created: number;
  /** Epoch milliseconds: what the metadata says, or a hundred years. */
  readonly validUntil: number;
  readonly encryption: "Required" | "Allowed" | undefined;
  /** The keys that were added to decrypt assertions. */
  readonly keys: readonly { readonly id: string; readonly added: number }[];
  readonly tags: Tags;
}

/** SAML providers as records: nothing here takes their assertions, so private keys are checked and not kept. */
export function samlProviderOperations({ documents, clock, ids, readSaml }: IamDeps) {
  const kindKey = (account: string) => [account, REGION, "saml-provider"] as const;
  const keyOf = (account: string, name: string): DocumentKey => [...kindKey(account), name.toLowerCase()];
  /** Up to 10 MB, which lists do not read. */
  const metadataKey = (account: string, name: string): DocumentKey => [
    account,
    REGION,
    "saml-metadata",
    name.toLowerCase(),
  ];

  const CreateSAMLProvider: Handler<Iam, "CreateSAMLProvider"> = async (input, { account }) => {
    const [name, metadata] = [input.Name ?? "", input.SAMLMetadataDocument ?? ""];
    const now = clock.now();
    const value: SamlProviderDocument = {
      name,
      id: ids.base32(24),
      created: now,
      validUntil: (await readSaml(metadata)).validUntil ?? inHundredYears(now),
      encryption: input.AssertionEncryptionMode,
      keys: input.AddPrivateKey === undefined ? [] : [newKey(input.AddPrivateKey)],
      tags: addTags({}, input.Tags),
    };
    requireKeys(value);
    const key = keyOf(account, name);
    requireRoom(documents, key);
    try {
      await documents.commit([
        { key, value, expected: 0 },
        { key: metadataKey(account, name), value: metadata },
      ]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw iamErrors.samlProviderExists(name);
      throw error;
    }
    return { SAMLProviderArn: arnOf(account, name), ...tagMember(value.tags) };
  };

  const GetSAMLProvider: Handler<Iam, "GetSAMLProvider"> = (input, { account }) => {
    const { value } = find(account, input.SAMLProviderArn);
    const { created, validUntil, encryption, keys } = value;
    return {
      SAMLProviderUUID: value.id,
      SAMLMetadataDocument: documents.get<string>(metadataKey(account, value.name))?.value,
      CreateDate: new Date(created),
      ValidUntil: new Date(validUntil),
      Tags: tagList(value.tags),
      ...(encryption === undefined ? {} : { AssertionEncryptionMode: encryption }),
      PrivateKeyList: keys.map(({ id, added }) => ({ KeyId: id, Timestamp: new Date(added) })),
    };
  };

  const ListSAMLProviders: Handler<Iam, "ListSAMLProviders"> = (_input, { account }) => ({
    SAMLProviderList: Array.from(
      valuesUnder<SamlProviderDocument>(documents, kindKey(account)),
      ({ name, created, validUntil }) => ({
        Arn: arnOf(account, name),
        ValidUntil: new Date(validUntil),
        CreateDate: new Date(created),
      }),
    ),
  });

  const UpdateSAMLProvider: Handler<Iam, "UpdateSAMLProvider"> = async (input, { account }) => {
    const { key } = find(account, input.SAMLProviderArn);
    const metadata = input.SAMLMetadataDocument;
    const read = metadata === undefined ? undefined : await readSaml(metadata);
    const added = input.AddPrivateKey === undefined ? [] : [newKey(input.AddPrivateKey)];
    await revise<SamlProviderDocument>(documents, key, () => {
      const { value } = find(account, input.SAMLProviderArn);
      const removed = input.RemovePrivateKey;
      if (removed !== undefined && !value.keys.some(({ id }) => id === removed))
        throw iamErrors.samlKeyMissing(removed);
      const next: SamlProviderDocument = {
        ...value,
        validUntil: read === undefined ? value.validUntil : (read.validUntil ?? inHundredYears(clock.now())),
        encryption: input.AssertionEncryptionMode ?? value.encryption,
        keys: [...value.keys.filter(({ id }) => id !== removed), ...added],
      };
      requireKeys(next);
      const changes: Change[] = [{ key, value: next }];
      if (metadata !== undefined) changes.push({ key: metadataKey(account, value.name), value: metadata });
      return changes;
    });
    return { SAMLProviderArn: input.SAMLProviderArn };
  };

  const DeleteSAMLProvider: Handler<Iam, "DeleteSAMLProvider"> = async (input, { account }) => {
    const { key, value } = find(account, input.SAMLProviderArn);
    await documents.commit([
      { key, delete: true },
      { key: metadataKey(account, value.name), delete: true },
    ]);
    return {};
  };

  const tags = tagsOf(documents, find);
  const TagSAMLProvider: Handler<Iam, "TagSAMLProvider"> = (input, { account }) =>
    tags.tag(account, input.SAMLProviderArn, input);
  const UntagSAMLProvider: Handler<Iam, "UntagSAMLProvider"> = (input, { account }) =>
    tags.untag(account, input.SAMLProviderArn, input);
  const ListSAMLProviderTags: Handler<Iam, "ListSAMLProviderTags"> = (input, { account }) =>
    tags.list(account, input.SAMLProviderArn, input);

  function find(account: string, arn = "") {
    const name = arn.slice(arn.lastIndexOf("/") + 1);
    const found = documents.get<SamlProviderDocument>(keyOf(account, name));
    if (found === undefined || arnOf(account, found.value.name) !== arn)
      throw iamErrors.samlProviderMissing(arn);
    return found;
  }

  /** @throws AwsError InvalidInput where it is no private key */
  function newKey(pem: string) {
    try {
      createPrivateKey(pem);
    } catch {
      throw iamErrors.samlPrivateKey();
    }
    return { id: ids.base32(22), added: clock.now() };
  }

  return {
    CreateSAMLProvider,
    GetSAMLProvider,
    ListSAMLProviders,
    UpdateSAMLProvider,
    DeleteSAMLProvider,
    TagSAMLProvider,
    UntagSAMLProvider,
    ListSAMLProviderTags,
  } satisfies OperationsOf<Iam>;
}

function arnOf(account: string, name: string): string {
  return `arn:aws:iam::${account}:saml-provider/${name}`;
}

/** How long AWS has metadata be valid that does not say. */
function inHundredYears(now: number): number {
  const date = new Date(now);
  return date.setUTCFullYear(date.getUTCFullYear() + 100);
}

/** @throws AwsError LimitExceeded, InvalidInput */
function requireKeys({ keys, encryption }: SamlProviderDocument): void {
  if (keys.length > LIMITS.samlPrivateKeys)
    throw iamErrors.quota("PrivateKeysPerSAMLProvider", LIMITS.samlPrivateKeys);
  if (encryption === "Required" && keys.length === 0) throw iamErrors.samlKeyNeeded();
}

import type * as client from "@aws-sdk/client-iam";
import { RevisionConflict } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  issuerName,
  oidcProviderArn,
  oidcProviderKey,
  type OidcProviderDocument,
} from "../oidc-providers.ts";
import { requireRoom } from "../quotas.ts";
import { addTags, REGION, tagList, tagMember, valuesUnder } from "../store.ts";
import { tagsOf } from "../tagging.ts";

type Iam = typeof client;

/** OpenID Connect providers, whose tokens STS takes. */
export function identityProviderOperations({ documents, clock }: IamDeps) {
  const CreateOpenIDConnectProvider: Handler<Iam, "CreateOpenIDConnectProvider"> = async (input, call) => {
    const url = issuerName(input.Url ?? "");
    if (url === undefined) throw iamErrors.invalidIssuer();
    const value: OidcProviderDocument = {
      url,
      clientIds: input.ClientIDList ?? [],
      thumbprints: input.ThumbprintList ?? [],
      created: clock.now(),
      tags: addTags({}, input.Tags),
    };
    requireClientIds(value);
    const key = oidcProviderKey(call.account, url);
    requireRoom(documents, key);
    try {
      await documents.commit([{ key, value, expected: 0 }]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw iamErrors.providerExists(input.Url ?? "");
      throw error;
    }
    return { OpenIDConnectProviderArn: oidcProviderArn(call.account, url), ...tagMember(value.tags) };
  };

  const GetOpenIDConnectProvider: Handler<Iam, "GetOpenIDConnectProvider"> = (input, call) => {
    const found = find(call.account, input.OpenIDConnectProviderArn).value;
    const { url, clientIds, thumbprints, created } = found;
    return {
      Url: url,
      ClientIDList: [...clientIds],
      ThumbprintList: [...thumbprints],
      CreateDate: new Date(created),
      Tags: tagList(found.tags),
    };
  };

  const ListOpenIDConnectProviders: Handler<Iam, "ListOpenIDConnectProviders"> = (_input, { account }) => ({
    OpenIDConnectProviderList: Array.from(
      valuesUnder<OidcProviderDocument>(documents, [account, REGION, "oidc-provider"]),
      ({ url }) => ({ Arn: oidcProviderArn(account, url) }),
    ),
  });

  const DeleteOpenIDConnectProvider: Handler<Iam, "DeleteOpenIDConnectProvider"> = async (input, call) => {
    const { key } = find(call.account, input.OpenIDConnectProviderArn);
    await documents.commit([{ key, delete: true }]);
    return {};
  };

  const AddClientIDToOpenIDConnectProvider: Handler<Iam, "AddClientIDToOpenIDConnectProvider"> = (
    input,
    call,
  ) =>
    change(call.account, input.OpenIDConnectProviderArn, (provider) =>
      requireClientIds({
        ...provider,
        clientIds: [...new Set([...provider.clientIds, input.ClientID ?? ""])],
      }),
    );

  const RemoveClientIDFromOpenIDConnectProvider: Handler<Iam, "RemoveClientIDFromOpenIDConnectProvider"> = (
    input,
    call,
  ) =>
    change(call.account, input.OpenIDConnectProviderArn, (provider) => ({
      ...provider,
      clientIds: provider.clientIds.filter((id) => id !== input.ClientID),
    }));

  const UpdateOpenIDConnectProviderThumbprint: Handler<Iam, "UpdateOpenIDConnectProviderThumbprint"> = (
    input,
    call,
  ) =>
    change(call.account, input.OpenIDConnectProviderArn, (provider) => ({
      ...provider,
      thumbprints: input.ThumbprintList ?? [],
    }));

  const tags = tagsOf(documents, find);
  const TagOpenIDConnectProvider: Handler<Iam, "TagOpenIDConnectProvider"> = (input, call) =>
    tags.tag(call.account, input.OpenIDConnectProviderArn, input);
  const UntagOpenIDConnectProvider: Handler<Iam, "UntagOpenIDConnectProvider"> = (input, call) =>
    tags.untag(call.account, input.OpenIDConnectProviderArn, input);
  const ListOpenIDConnectProviderTags: Handler<Iam, "ListOpenIDConnectProviderTags"> = (input, call) =>
    tags.list(call.account, input.OpenIDConnectProviderArn, input);

  function find(account: string, arn = "") {
    const prefix = oidcProviderArn(account, "");
    const url = arn.startsWith(prefix) ? arn.slice(prefix.length) : "";
    const found = documents.get<OidcProviderDocument>(oidcProviderKey(account, url));
    if (found === undefined) throw iamErrors.providerMissing(arn);
    return found;
  }

  async function change(
    account: string,
    arn: string | undefined,
    next: (provider: OidcProviderDocument) => OidcProviderDocument,
  ) {
    const { key } = find(account, arn);
    await revise<OidcProviderDocument>(documents, key, () => [
      { key, value: next(find(account, arn).value) },
    ]);
    return {};
  }

  return {
    CreateOpenIDConnectProvider,
    GetOpenIDConnectProvider,
    ListOpenIDConnectProviders,
    DeleteOpenIDConnectProvider,
    AddClientIDToOpenIDConnectProvider,
    RemoveClientIDFromOpenIDConnectProvider,
    UpdateOpenIDConnectProviderThumbprint,
    TagOpenIDConnectProvider,
    UntagOpenIDConnectProvider,
    ListOpenIDConnectProviderTags,
  } satisfies OperationsOf<Iam>;
}

/** @throws AwsError LimitExceeded */
function requireClientIds(provider: OidcProviderDocument): OidcProviderDocument {
  if (provider.clientIds.length > LIMITS.clientIdsPerProvider)
    throw iamErrors.quota("ClientIdsPerOpenIdConnectProvider", LIMITS.clientIdsPerProvider);
  return provider;
}

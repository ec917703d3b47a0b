import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { findTokenIssuer, keepTokenIssuer, newTokenIssuer, type TokenIssuer } from "../token-issuer.ts";

type Iam = typeof client;

/** Whether STS gives out tokens for services elsewhere. An account's issuer stays the same however often it is enabled. */
export function outboundFederationOperations({ documents, ids }: IamDeps) {
  const EnableOutboundWebIdentityFederation: Handler<Iam, "EnableOutboundWebIdentityFederation"> = async (
    _input,
    { account, baseUrl },
  ) => {
    const made = findTokenIssuer(documents, account)?.value ?? (await newTokenIssuer(ids, account, baseUrl));
    const change = keepTokenIssuer(account, made);
    let IssuerIdentifier = made.issuer;
    await revise<TokenIssuer>(documents, change.key, (current) => {
      if (current?.value.enabled === true) throw iamErrors.federationEnabled();
      // Of two that make one at the same moment, the first one's stays.
      const value = { ...(current?.value ?? made), enabled: true };
      IssuerIdentifier = value.issuer;
      return [{ ...change, value }];
    });
    return { IssuerIdentifier };
  };

  const DisableOutboundWebIdentityFederation: Handler<Iam, "DisableOutboundWebIdentityFederation"> = async (
    _input,
    { account },
  ) => {
    const { key } = requireEnabled(account);
    await revise<TokenIssuer>(documents, key, () => [
      { key, value: { ...requireEnabled(account).value, enabled: false } },
    ]);
    return {};
  };

  const GetOutboundWebIdentityFederationInfo: Handler<Iam, "GetOutboundWebIdentityFederationInfo"> = (
    _input,
    { account },
  ) => ({ IssuerIdentifier: requireEnabled(account).value.issuer, JwtVendingEnabled: true });

  function requireEnabled(account: string) {
    const found = findTokenIssuer(documents, account);
    if (found?.value.enabled !== true) throw iamErrors.federationDisabled();
    return found;
  }

  return {
    EnableOutboundWebIdentityFederation,
    DisableOutboundWebIdentityFederation,
    GetOutboundWebIdentityFederationInfo,
  } satisfies OperationsOf<Iam>;
}

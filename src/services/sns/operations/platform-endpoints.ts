import { createHash } from "node:crypto";
import type * as client from "@aws-sdk/client-sns";
import { RevisionConflict } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { SnsDeps } from "../deps.ts";
import { snsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  type ApplicationName,
  endpointArn,
  requireApplicationArn,
  requireEndpointArn,
} from "../platform-arns.ts";
import { type Attributes, type EndpointDocument, keys, takePage } from "../store.ts";

type Sns = typeof client;

const ATTRIBUTES: ReadonlySet<string> = new Set(["CustomUserData", "Enabled", "Token"]);

/** Devices of an application, as records. */
export function endpointOperations({ documents, ids }: SnsDeps) {
  function requireApplication(named: ApplicationName): void {
    if (documents.get(keys.application(named, named.platform, named.name)) === undefined)
      throw snsErrors.applicationMissing();
  }

  const CreatePlatformEndpoint: Handler<Sns, "CreatePlatformEndpoint"> = async (input, call) => {
    const named = requireApplicationArn(input.PlatformApplicationArn, call);
    requireApplication(named);
    const { Token: token = "", CustomUserData: data, Attributes: given = {} } = input;
    requireAttributes(given);
    const attributes: Attributes = {
      Enabled: "true",
      Token: token,
      ...(data === undefined ? {} : { CustomUserData: data }),
      ...given,
    };
    const { platform, name } = named;
    const place = keys.endpointToken(named, platform, name, tokenHash(token));
    const id = ids.uuid();
    try {
      await documents.commit([
        { key: place, value: id, expected: 0 },
        {
          key: keys.endpoint(named, platform, name, id),
          value: { id, attributes } satisfies EndpointDocument,
        },
      ]);
      return { EndpointArn: endpointArn({ ...named, id }) };
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
    // A device that is known already: the same again is no change (recorded: test_create_platform_endpoint_idempotency).
    const known = documents.get<string>(place)?.value ?? "";
    const endpoint = documents.get<EndpointDocument>(keys.endpoint(named, platform, name, known))?.value;
    const arn = endpointArn({ ...named, id: known });
    const wanted = { ...given, ...(data === undefined ? {} : { CustomUserData: data }) };
    const same = Object.entries(wanted).every(
      ([attribute, value]) => endpoint?.attributes[attribute] === value,
    );
    if (!same)
      throw snsErrors.parameter(
        "Token",
        `Endpoint ${arn} already exists with the same Token, but different attributes.`,
      );
    return { EndpointArn: arn };
  };

  const DeleteEndpoint: Handler<Sns, "DeleteEndpoint"> = async (input, call) => {
    const { platform, name, id, ...scope } = requireEndpointArn(input.EndpointArn, call);
    const key = keys.endpoint(scope, platform, name, id);
    await revise<EndpointDocument>(documents, key, (current) =>
      current === undefined
        ? []
        : [
            { key, delete: true },
            {
              key: keys.endpointToken(
                scope,
                platform,
                name,
                tokenHash(current.value.attributes["Token"] ?? ""),
              ),
              delete: true,
            },
          ],
    );
    return {};
  };

  const GetEndpointAttributes: Handler<Sns, "GetEndpointAttributes"> = (input, call) => {
    const { platform, name, id, ...scope } = requireEndpointArn(input.EndpointArn, call);
    const endpoint = documents.get<EndpointDocument>(keys.endpoint(scope, platform, name, id));
    if (endpoint === undefined) throw snsErrors.endpointMissing();
    return { Attributes: { ...endpoint.value.attributes } };
  };

  const SetEndpointAttributes: Handler<Sns, "SetEndpointAttributes"> = async (input, call) => {
    const { platform, name, id, ...scope } = requireEndpointArn(input.EndpointArn, call);
    const given = input.Attributes ?? {};
    const key = keys.endpoint(scope, platform, name, id);
    await revise<EndpointDocument>(documents, key, (current) => {
      if (current === undefined) throw snsErrors.endpointMissing();
      requireAttributes(given);
      const before = current.value.attributes["Token"] ?? "";
      const attributes = { ...current.value.attributes, ...given };
      const after = attributes["Token"] ?? "";
      const moved =
        before === after
          ? []
          : [
              { key: keys.endpointToken(scope, platform, name, tokenHash(before)), delete: true as const },
              { key: keys.endpointToken(scope, platform, name, tokenHash(after)), value: id },
            ];
      return [{ key, value: { id, attributes } }, ...moved];
    });
    return {};
  };

  const ListEndpointsByPlatformApplication: Handler<Sns, "ListEndpointsByPlatformApplication"> = (
    input,
    call,
  ) => {
    const named = requireApplicationArn(input.PlatformApplicationArn, call);
    requireApplication(named);
    const { items, next } = takePage<EndpointDocument>(
      documents,
      keys.endpoints(named, named.platform, named.name),
      input.NextToken,
      LIMITS.pageItems,
    );
    return {
      Endpoints: items.map(({ value: { id, attributes } }) => ({
        EndpointArn: endpointArn({ ...named, id }),
        Attributes: { ...attributes },
      })),
      ...(next === undefined ? {} : { NextToken: next }),
    };
  };

  return {
    CreatePlatformEndpoint,
    DeleteEndpoint,
    GetEndpointAttributes,
    SetEndpointAttributes,
    ListEndpointsByPlatformApplication,
  } satisfies OperationsOf<Sns>;
}

/** @throws AwsError InvalidParameter (recorded: test_create_platform_endpoint_with_invalid_attributes) */
function requireAttributes(attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.has(name)) throw snsErrors.parameter("Attributes", `Invalid attribute name: ${name}`);
    if (name === "CustomUserData" && Buffer.byteLength(value) > LIMITS.customUserDataBytes)
      throw snsErrors.parameter(
        "Attributes",
        `Invalid value for attribute: CustomUserData: must be at most ${LIMITS.customUserDataBytes} bytes long in UTF-8 encoding`,
      );
    if (name === "Enabled" && value !== "true" && value !== "false")
      throw snsErrors.parameter("Attributes", "Invalid value for attribute: Enabled: must be true or false");
  }
}

/** Device tokens may be longer than keys. */
function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

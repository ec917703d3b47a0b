import type * as client from "@aws-sdk/client-sns";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { SnsDeps } from "../deps.ts";
import { snsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { applicationArn, requireApplicationArn } from "../platform-arns.ts";
import { type ApplicationDocument, type Attributes, keys, takePage } from "../store.ts";

type Sns = typeof client;

const PLATFORMS: ReadonlySet<string> = new Set([
  "ADM",
  "APNS",
  "APNS_SANDBOX",
  "APNS_VOIP",
  "APNS_VOIP_SANDBOX",
  "BAIDU",
  "FCM",
  "GCM",
  "MACOS",
  "MACOS_SANDBOX",
  "MPNS",
  "WNS",
]);

const ATTRIBUTES: ReadonlySet<string> = new Set([
  "PlatformCredential",
  "PlatformPrincipal",
  "EventEndpointCreated",
  "EventEndpointDeleted",
  "EventEndpointUpdated",
  "EventDeliveryFailure",
  "SuccessFeedbackRoleArn",
  "FailureFeedbackRoleArn",
  "SuccessFeedbackSampleRate",
  "ApplePlatformTeamID",
  "ApplePlatformBundleID",
  "Enabled",
]);

/** What is set can be read again, but for the secrets. */
const SECRET: ReadonlySet<string> = new Set(["PlatformCredential", "PlatformPrincipal"]);

/** Applications of push notification services, as records: nothing is asked of those services. */
export function applicationOperations({ documents }: SnsDeps) {
  const CreatePlatformApplication: Handler<Sns, "CreatePlatformApplication"> = async (input, call) => {
    const { Name: name = "", Platform: platform = "", Attributes: attributes = {} } = input;
    if (name.length > 256) throw snsErrors.parameter(name, "must be at most 256 characters long");
    if (!/^[\w.-]+$/u.test(name))
      throw snsErrors.parameter(
        name,
        "must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'",
      );
    if (!PLATFORMS.has(platform)) throw snsErrors.parameter("Platform", `${platform} is not supported`);
    requireNames(attributes);
    if (attributes["PlatformCredential"] === undefined)
      throw snsErrors.parameter("PlatformCredential", "no value for required parameter");
    const key = keys.application(call, platform, name);
    await revise<ApplicationDocument>(documents, key, (current) => {
      if (current !== undefined) {
        const same = Object.entries(attributes).every(
          ([attribute, value]) => current.value.attributes[attribute] === value,
        );
        if (same) return [];
        throw snsErrors.parameter(
          "Attributes",
          "Platform application already exists with different attributes",
        );
      }
      const value: ApplicationDocument = { name, platform, attributes: { Enabled: "true", ...attributes } };
      return [{ key, value }];
    });
    const { account, region } = call;
    return { PlatformApplicationArn: applicationArn({ account, region, platform, name }) };
  };

  const DeletePlatformApplication: Handler<Sns, "DeletePlatformApplication"> = async (input, call) => {
    const named = requireApplicationArn(input.PlatformApplicationArn, call);
    await documents.commit([{ key: keys.application(named, named.platform, named.name), delete: true }]);
    return {};
  };

  const GetPlatformApplicationAttributes: Handler<Sns, "GetPlatformApplicationAttributes"> = (
    input,
    call,
  ) => {
    const named = requireApplicationArn(input.PlatformApplicationArn, call);
    const key = keys.application(named, named.platform, named.name);
    const application = documents.get<ApplicationDocument>(key);
    if (application === undefined) throw snsErrors.applicationMissing();
    return { Attributes: shown(application.value.attributes) };
  };

  const SetPlatformApplicationAttributes: Handler<Sns, "SetPlatformApplicationAttributes"> = async (
    input,
    call,
  ) => {
    const named = requireApplicationArn(input.PlatformApplicationArn, call);
    const given = input.Attributes ?? {};
    const key = keys.application(named, named.platform, named.name);
    await revise<ApplicationDocument>(documents, key, (current) => {
      if (current === undefined) throw snsErrors.applicationMissing();
      requireNames(given);
      return [{ key, value: { ...current.value, attributes: { ...current.value.attributes, ...given } } }];
    });
    return {};
  };

  const ListPlatformApplications: Handler<Sns, "ListPlatformApplications"> = (input, call) => {
    const { items, next } = takePage<ApplicationDocument>(
      documents,
      keys.applications(call),
      input.NextToken,
      LIMITS.pageItems,
    );
    const { account, region } = call;
    return {
      PlatformApplications: items.map(({ value: { platform, name, attributes } }) => ({
        PlatformApplicationArn: applicationArn({ account, region, platform, name }),
        Attributes: shown(attributes),
      })),
      ...(next === undefined ? {} : { NextToken: next }),
    };
  };

  return {
    CreatePlatformApplication,
    DeletePlatformApplication,
    GetPlatformApplicationAttributes,
    SetPlatformApplicationAttributes,
    ListPlatformApplications,
  } satisfies OperationsOf<Sns>;
}

function requireNames(attributes: Attributes): void {
  for (const name of Object.keys(attributes))
    if (!ATTRIBUTES.has(name)) throw snsErrors.parameter("Attributes", `Invalid attribute name: ${name}`);
}

function shown(attributes: Attributes): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !SECRET.has(name)));
}

import { afterEach, beforeEach, describe, test } from "vitest";
import { createSnsFixture, type SnsFixture } from "../../support/sns-service.ts";
import { Recording } from "./recording.ts";

let sns: SnsFixture;

beforeEach(async () => {
  sns = await createSnsFixture();
});
afterEach(() => sns.close());

const replay = (scenario: string) => new Recording("platform", scenario);
const NOBODY = "arn:aws:sns:us-east-1:111111111111:app/ADM/nobody";
const CREDENTIALS = { PlatformCredential: "credential", PlatformPrincipal: "principal" };

const createApplication = (
  Name: string,
  Platform = "ADM",
  Attributes: Record<string, string> = CREDENTIALS,
) => sns.call("CreatePlatformApplication", { Name, Platform, Attributes });
const application = async () => (await createApplication("application")).PlatformApplicationArn ?? "";

describe("applications", () => {
  const set = (PlatformApplicationArn: string, Attributes: Record<string, string>) =>
    sns.call("SetPlatformApplicationAttributes", { PlatformApplicationArn, Attributes });
  const get = (PlatformApplicationArn: string) =>
    sns.call("GetPlatformApplicationAttributes", { PlatformApplicationArn });

  test("test_create_platform_application_invalid_*", async () => {
    await replay("test_create_platform_application_invalid_platform").expect(
      "invalid-platform",
      createApplication("application", "AAA"),
    );
    await replay("test_create_platform_application_invalid_name[too-long]").expect(
      "invalid-application-name",
      createApplication("a".repeat(257)),
    );
    const attributesMissing = { Name: "application", Platform: "ADM", Attributes: undefined };
    await replay("test_create_platform_application_invalid_attributes[no-args]").expect(
      "platform-application-no-attributes",
      sns.call("CreatePlatformApplication", attributesMissing),
    );
  });

  test("test_get_platform_application_attributes_non_existing_app", async () => {
    await replay("test_get_platform_application_attributes_non_existing_app").expect(
      "non_existing-application-arn",
      get(NOBODY),
    );
  });

  test("test_set_platform_application_attributes*", async () => {
    const arn = await application();
    await set(arn, { SuccessFeedbackSampleRate: "50" });
    await replay("test_set_platform_application_attributes").expect(
      "set-get-application-attributes",
      get(arn),
    );
    await replay("test_set_platform_application_attributes_invalid_arn").expect(
      "invalid-application-arn",
      set("invalid", { SuccessFeedbackSampleRate: "50" }),
    );
    await replay("test_set_platform_application_attributes_non_existing_app[missing-credential]").expect(
      "non_existing-application-arn",
      set(NOBODY, { PlatformPrincipal: "principal" }),
    );
    await replay("test_set_platform_application_attributes_non_existing_app[no-args]").expect(
      "non_existing-application-arn",
      sns.call("SetPlatformApplicationAttributes", {
        PlatformApplicationArn: NOBODY,
        Attributes: undefined,
      }),
    );
  });
});

describe("endpoints", () => {
  const create = (PlatformApplicationArn: string, more: object = {}, Token = "token_1") =>
    sns.call("CreatePlatformEndpoint", { PlatformApplicationArn, Token, ...more });
  const get = (EndpointArn: string) => sns.call("GetEndpointAttributes", { EndpointArn });
  const set = (EndpointArn: string, Attributes: Record<string, string> | undefined) =>
    sns.call("SetEndpointAttributes", { EndpointArn, Attributes });
  const endpoint = async (more: object = {}) => (await create(await application(), more)).EndpointArn ?? "";
  const list = (PlatformApplicationArn: string) =>
    sns.call("ListEndpointsByPlatformApplication", { PlatformApplicationArn });

  test("test_create_platform_endpoint_idempotency", async () => {
    const recording = replay("test_create_platform_endpoint_idempotency");
    const arn = await application();
    await recording.expect("create-platform-endpoint", create(arn));
    await recording.expect("create-platform-endpoint-idempotent", create(arn));
    await recording.expect(
      "create-platform-endpoint-different-token",
      create(arn, { CustomUserData: "different" }),
    );
  });

  test("test_create_platform_endpoint_non_existent_app", async () => {
    await replay("test_create_platform_endpoint_non_existent_app").expect(
      "create-platform-endpoint",
      create(NOBODY),
    );
  });

  test("test_create_platform_endpoint, …_custom_data, …_double_custom_data", async () => {
    const plain = create(await application());
    await replay("test_create_platform_endpoint").expect("create-platform-endpoint", plain);
    const other = async (name: string) => (await createApplication(name)).PlatformApplicationArn ?? "";
    const bar = await create(await other("bar"), { CustomUserData: "bar" });
    await replay("test_create_platform_endpoint_custom_data").expect(
      "create-endpoint-double-custom-data",
      get(bar.EndpointArn ?? ""),
    );
    const both = { CustomUserData: "bar", Attributes: { CustomUserData: "foo" } };
    const foo = await create(await other("foo"), both);
    await replay("test_create_platform_endpoint_double_custom_data").expect(
      "create-endpoint-double-custom-data",
      get(foo.EndpointArn ?? ""),
    );
  });

  test.each([
    ["Invalid_Name_Credential", "PlatformCredential"],
    ["Invalid_Name_Generic", "InvalidKey"],
    ["Invalid_Name_Principal", "PlatformPrincipal"],
  ])("test_create_platform_endpoint_with_invalid_attributes[%s]", async (name, attribute) => {
    await replay(`test_create_platform_endpoint_with_invalid_attributes[${name}]`).expect(
      "create-platform-endpoint-invalid-attr",
      create(await application(), { Attributes: { [attribute]: "value" } }),
    );
  });

  test("test_get_platform_endpoint_attributes, test_set_platform_endpoint_attributes", async () => {
    const arn = await endpoint();
    await replay("test_get_platform_endpoint_attributes").expect(
      "get-platform-endpoint-attributes",
      get(arn),
    );
    const recording = replay("test_set_platform_endpoint_attributes");
    await recording.expect("set-platform-endpoint-attributes", set(arn, { Enabled: "false" }));
    await recording.expect("get-platform-endpoint-attributes", get(arn));
  });

  test.each([
    ["Data_Too_Long", { CustomUserData: "x".repeat(2049) }],
    ["Empty", undefined],
    ["Invalid_Name_Generic", { InvalidKey: "value" }],
    ["Invalid_Name_Principal", { PlatformPrincipal: "value" }],
  ])("test_set_platform_endpoint_attributes_invalid_attributes[%s]", async (name, attributes) => {
    await replay(`test_set_platform_endpoint_attributes_invalid_attributes[${name}]`).expect(
      "set-platform-endpoint-invalid-attributes",
      set(await endpoint(), attributes),
    );
  });

  test("test_set_platform_endpoint_attributes_non_existent_endpoint", async () => {
    await replay("test_set_platform_endpoint_attributes_non_existent_endpoint").expect(
      "set-platform-endpoint-attributes-non-existent-app",
      set("arn:aws:sns:us-east-1:111111111111:endpoint/ADM/application/nobody", { Enabled: "false" }),
    );
  });

  test("test_list_platform_endpoints, test_delete_endpoints_of_deleted_app", async () => {
    const arn = await application();
    await create(arn);
    await replay("test_list_platform_endpoints").expect("list-endpoints-by-app", list(arn));
    const recording = replay("test_delete_endpoints_of_deleted_app");
    await recording.expect(
      "delete-application",
      sns.call("DeletePlatformApplication", { PlatformApplicationArn: arn }),
    );
    await recording.expect("list-endpoints-after-app-delete", list(arn));
  });
});

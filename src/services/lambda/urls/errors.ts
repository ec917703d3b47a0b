import { AwsError } from "#core/errors";

const USER = { Type: "User" } as const;

/** What the operations on URLs answer (recorded: test_url_config_exceptions, test_url_config_lifecycle), and the URLs themselves. */
export const urlErrors = {
  functionMissing: () =>
    new AwsError("ResourceNotFoundException", "Function does not exist", { status: 404, members: USER }),
  urlMissing: () =>
    new AwsError("ResourceNotFoundException", "The resource you requested does not exist.", {
      status: 404,
      members: USER,
    }),
  urlExists: (arn: string) =>
    new AwsError(
      "ResourceConflictException",
      `Failed to create function url config for [functionArn = ${arn}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      { status: 409, members: USER },
    ),

  /** Where a signature is missing or a policy does not allow the call (recorded: test_lambda_url_persists_after_alias_delete). */
  forbidden: () => {
    const Message =
      "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";
    return new AwsError("AccessDeniedException", Message, { status: 403, members: { Message } });
  },
  /** Its body is as AWS's users quote it. */
  noSuchUrl: () => new AwsError("ResourceNotFoundException", "", { status: 404, members: { Message: null } }),
  wrongScope: (message: string) => new AwsError("InvalidSignatureException", message, { status: 403 }),
} as const;

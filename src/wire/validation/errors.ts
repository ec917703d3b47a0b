import { AwsError } from "#core/errors";
import type { OperationModel, ServiceModel } from "../schema/model.ts";
import { findViolations } from "./validate.ts";
import type { Violation } from "./violation.ts";

/** How a service tells what is wrong with an input. `undefined` where it leaves that to the operation itself. */
type Wording = (violations: readonly Violation[]) => AwsError | undefined;

/** Recorded where a service differs from the request framework's own ValidationException. */
const wordings: Readonly<Record<string, Wording>> = {
  logs: counted("InvalidParameterException"),
  xray: counted("InvalidRequestException"),
  sns: counted("ValidationError"),
  accessanalyzer: counted("ValidationException", { reason: "fieldValidationFailed" }),
  iam: discreet,
  // Its operations word the rest themselves, most of it by queue type.
  sqs: missingParameter,
  ec2: parameters,
  // S3 has an error of its own for everything that can be wrong.
  s3: () => undefined,
};

/** Far more than any value that is wrong by an honest mistake. */
const MAX_SHOWN = 16_384;

const usual = counted("ValidationException");

/** Throws the service's own error where `input` breaks a rule of its schema, all breaches in one message. */
export function validateInput(service: ServiceModel, operation: OperationModel, input: object): void {
  const violations = findViolations(operation, input);
  if (violations.length === 0) return;
  const error = (wordings[service.name] ?? usual)(violations);
  if (error !== undefined) throw error;
}

/**
 * `2 validation errors detected: Value 'x' at 'y' failed to satisfy constraint: …; Value …`
 * @param members what else the service's exception has
 */
function counted(code: string, members: Readonly<Record<string, unknown>> = {}): Wording {
  return (violations) =>
    new AwsError(
      code,
      summarise(
        violations.map(({ path, value, shown, wording }) => {
          const found = value === undefined || value === null ? "null" : `'${shorten(shown)}'`;
          return `Value ${found} at '${path}' failed to satisfy constraint: ${wording}`;
        }),
      ),
      { members },
    );
}

/** A client that sends megabytes need not be sent them back, nor have them in its log. */
function shorten(shown: string): string {
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
}

/** IAM repeats neither values nor the set of an enum (recorded: `Value at 'status' failed to satisfy constraint: …`). */
function discreet(violations: readonly Violation[]): AwsError {
  return new AwsError(
    "ValidationException",
    summarise(
      violations.map(({ path, rule, wording }) => {
        const shown = rule.kind === "required" ? "Value null" : "Value";
        const said = rule.kind === "enum" ? "Member must satisfy enum value set" : wording;
        return `${shown} at '${path}' failed to satisfy constraint: ${said}`;
      }),
    ),
  );
}

function summarise(sentences: readonly string[]): string {
  const count = sentences.length;
  return `${count} validation error${count === 1 ? "" : "s"} detected: ${sentences.join("; ")}`;
}

/** SQS has errors of its own for batches without entries. */
function missingParameter(violations: readonly Violation[]): AwsError | undefined {
  const missing = violations.find(({ rule, path }) => rule.kind === "required" && path !== "entries");
  return missing && new AwsError("MissingRequiredParameterException", missingWords(missing));
}

function missingWords({ path }: Violation): string {
  return `The request must contain the parameter ${parameterName(path)}.`;
}

/** EC2 complains of one parameter at a time, by its name. */
function parameters(violations: readonly Violation[]): AwsError {
  const missing = violations.find(({ rule }) => rule.kind === "required");
  const [first] = violations;
  if (missing !== undefined || first === undefined) {
    return new AwsError("MissingParameter", missing === undefined ? "" : missingWords(missing));
  }
  const { path, shown, rule } = first;
  const expecting =
    rule.kind === "min"
      ? ` Expecting a value greater than or equal to ${rule.limit}.`
      : rule.kind === "max"
        ? ` Expecting a value less than or equal to ${rule.limit}.`
        : "";
  const found = expecting === "" ? `(${shorten(shown)})` : `( ${shorten(shown)} )`;
  return new AwsError(
    "InvalidParameterValue",
    `Value ${found} for parameter ${path} is invalid.${expecting}`,
  );
}

function parameterName(path: string): string {
  return path.charAt(0).toUpperCase() + path.slice(1);
}

import { parseArn } from "#core/arn";
import { snsErrors } from "../errors.ts";
import { requireJsonObject } from "../json.ts";

/**
 * Checks a RedrivePolicy: `{"deadLetterTargetArn": "arn:aws:sqs:…"}`.
 * @throws AwsError InvalidParameter (recorded: test_validate_set_sub_attributes)
 */
export function requireRedrivePolicy(text: string, where: string): string {
  const { deadLetterTargetArn: arn } = requireJsonObject(text, "RedrivePolicy", where);
  if (arn === undefined) throw snsErrors.parameter(`${where}RedrivePolicy: deadLetterTargetArn is required`);
  const queue = typeof arn === "string" ? parseArn(arn) : undefined;
  if (queue?.service !== "sqs" || !/^[\w-]{1,80}(?:\.fifo)?$/u.test(queue.resource))
    throw snsErrors.parameter(`${where}RedrivePolicy: deadLetterTargetArn is an invalid arn`);
  return text;
}

/** The queue for what cannot be delivered. @param text as it was accepted, or undefined */
export function deadLetterQueue(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const { deadLetterTargetArn: arn } = JSON.parse(text) as { deadLetterTargetArn: string };
  return arn;
}

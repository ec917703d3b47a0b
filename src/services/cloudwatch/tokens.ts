import { readPageToken } from "../page-token.ts";
import { cloudwatchErrors } from "./errors.ts";

export { writePageToken as writeToken } from "../page-token.ts";

/** @param shape the types of the token's parts @throws AwsError InvalidNextToken */
export function readToken<const Shape extends readonly ("string" | "number")[]>(text: string, shape: Shape) {
  return readPageToken(text, shape, cloudwatchErrors.nextToken);
}

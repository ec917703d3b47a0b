import { AwsError } from "#core/errors";

/** Of StateReasonCode (API reference, FunctionConfiguration). */
export type ImageReasonCode = "InvalidImage" | "ImageAccessDenied" | "ImageDeleted";

/** An image that cannot be had or run, in AWS's words as its users quote them. */
export class ImageProblem extends AwsError {
  /** What the function's state tells where the problem shows only in the background. */
  readonly reasonCode: ImageReasonCode;

  private constructor(code: string, message: string, status: number, reasonCode: ImageReasonCode) {
    super(code, message, { status, members: { Type: "User", message } });
    this.reasonCode = reasonCode;
  }

  static missing(uri: string): ImageProblem {
    const message = `Source image ${uri} does not exist. Provide a valid source image.`;
    return new ImageProblem("InvalidParameterValueException", message, 400, "ImageDeleted");
  }

  static notValid(uri: string, why?: string): ImageProblem {
    const detail = why === undefined ? "" : ` (${why})`;
    const message = `Source image ${uri} is not valid. Provide a valid source image.${detail}`;
    return new ImageProblem("InvalidParameterValueException", message, 400, "InvalidImage");
  }

  static notSupported(uri: string): ImageProblem {
    const message = `The image manifest, config or layer media type for the source image ${uri} is not supported.`;
    return new ImageProblem("InvalidParameterValueException", message, 400, "InvalidImage");
  }

  static denied(): ImageProblem {
    const message = "Lambda does not have permission to access the ECR image. Check the ECR permissions.";
    return new ImageProblem("AccessDeniedException", message, 403, "ImageAccessDenied");
  }
}

/** The bytes of an image are not what they should be. Says no image's name: whoever asked for it knows that. */
export class BadImage extends Error {
  readonly kind: "broken" | "unsupported" | "too-large";
  constructor(kind: BadImage["kind"], message: string) {
    super(message);
    this.name = "BadImage";
    this.kind = kind;
  }
}

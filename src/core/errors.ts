/**
 * An error that a client is meant to see, named as AWS names it. Every protocol has its own form for it; `wire` writes
 * that form. Throw nothing else on purpose: any other error is logged whole and answered as an internal failure.
 */
export class AwsError extends Error {
  /** The error's shape name or code, such as `ResourceNotFoundException`. */
  readonly code: string;
  /** The HTTP status where the service's schema does not know `code`. */
  readonly status: number;
  /** Further members of the error's shape, such as lambda's `Type: "User"`. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Response headers that belong to the error, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: string,
    message: string,
    options: {
      status?: number;
      members?: Readonly<Record<string, unknown>>;
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AwsError";
    this.code = code;
    this.status = options.status ?? 400;
    this.members = options.members ?? {};
    this.headers = options.headers ?? {};
  }

  /** Whose fault it is: `client` below status 500, else `server`. */
  get fault(): "client" | "server" {
    return this.status < 500 ? "client" : "server";
  }
}

/**
 * A problem that the operator of the platform must solve (a locked data folder, a port in use): the CLI prints the
 * message alone, without a stack, and ends with `exitCode`.
 */
export class OperatorError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "OperatorError";
    this.exitCode = exitCode;
  }
}

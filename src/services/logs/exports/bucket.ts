import { AwsError } from "#core/errors";
import { servicePrincipal } from "#core/principal";
import type { AwsCaller } from "#wire/operation";
import { logsErrors } from "../errors.ts";
import { LOGS_SERVICE } from "../filters/subscriber.ts";
import { groupArn, type Scope } from "../store.ts";

/** An export's bucket, as CloudWatch Logs may use it: its policy must let the service in. */
export class ExportBucket {
  readonly #caller: AwsCaller;
  readonly #scope: Scope;
  readonly #group: string;
  readonly #bucket: string;

  constructor(caller: AwsCaller, scope: Scope, of: { readonly group: string; readonly bucket: string }) {
    this.#caller = caller;
    this.#scope = scope;
    this.#group = of.group;
    this.#bucket = of.bucket;
  }

  /** As AWS does before it takes a task; leaves an object that says so. @throws AwsError InvalidParameterException */
  async check(prefix: string): Promise<void> {
    await this.#call("GetBucketAcl", {}).catch((error: unknown) => {
      if (error instanceof AwsError && error.code === "NoSuchBucket") throw logsErrors.bucketMissing();
      throw error instanceof AwsError ? logsErrors.bucketCall("GetBucketAcl") : error;
    });
    await this.put(`${prefix}/aws-logs-write-test`, Buffer.from("Permission Check Successful")).catch(
      (error: unknown) => {
        throw error instanceof AwsError ? logsErrors.bucketCall("PutObject") : error;
      },
    );
  }

  /** @throws AwsError what S3 answered */
  async put(key: string, body: Buffer): Promise<void> {
    await this.#call("PutObject", { Key: key, Body: body, ACL: "bucket-owner-full-control" });
  }

  #call(operation: string, input: object): Promise<unknown> {
    const { account, region } = this.#scope;
    const principal = servicePrincipal(LOGS_SERVICE, {
      account,
      region,
      sourceArn: `${groupArn(this.#scope, this.#group)}:*`,
      sourceAccount: account,
    });
    return this.#caller.call("s3", operation, { Bucket: this.#bucket, ...input }, { principal, region });
  }
}

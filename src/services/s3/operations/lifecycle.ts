import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { readRules } from "../lifecycle/configuration.ts";
import { reviseSettings } from "../settings.ts";
import { requireBucket } from "../store.ts";

type S3 = typeof client;

const MINIMUM: client.TransitionDefaultMinimumObjectSize = "all_storage_classes_128K";

export function lifecycleOperations({ documents, ids }: S3Deps) {
  const PutBucketLifecycleConfiguration: Handler<S3, "PutBucketLifecycleConfiguration"> = async (
    input,
    call,
  ) => {
    requireBucket(documents, call, input);
    // The client's type knows two values; requests may hold any.
    const minimum: string = input.TransitionDefaultMinimumObjectSize ?? MINIMUM;
    if (minimum !== MINIMUM && minimum !== "varies_by_storage_class")
      throw s3Errors.invalidRequest(`Invalid TransitionDefaultMinimumObjectSize found: ${minimum}`);
    const lifecycle = readRules(input.LifecycleConfiguration?.Rules, ids);
    await reviseSettings(documents, call, input, () => ({ lifecycle, lifecycleMinimumSize: minimum }));
    return { TransitionDefaultMinimumObjectSize: minimum };
  };

  const GetBucketLifecycleConfiguration: Handler<S3, "GetBucketLifecycleConfiguration"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const { lifecycle, lifecycleMinimumSize } = bucket.settings;
    if (lifecycle === undefined)
      throw s3Errors.noConfiguration(
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
        bucket.name,
      );
    return {
      Rules: lifecycle.map(revived),
      TransitionDefaultMinimumObjectSize: lifecycleMinimumSize ?? MINIMUM,
    };
  };

  const DeleteBucketLifecycle: Handler<S3, "DeleteBucketLifecycle"> = async (input, call) => {
    await reviseSettings(documents, call, input, () => ({
      lifecycle: undefined,
      lifecycleMinimumSize: undefined,
    }));
    return {};
  };

  return { PutBucketLifecycleConfiguration, GetBucketLifecycleConfiguration, DeleteBucketLifecycle };
}

/** Documents are JSON, where dates are texts. */
function revived(rule: client.LifecycleRule): client.LifecycleRule {
  const date = rule.Expiration?.Date;
  return {
    ...rule,
    ...(date === undefined ? {} : { Expiration: { ...rule.Expiration, Date: new Date(date) } }),
    ...(rule.Transitions === undefined
      ? {}
      : {
          Transitions: rule.Transitions.map((transition) =>
            transition.Date === undefined ? transition : { ...transition, Date: new Date(transition.Date) },
          ),
        }),
  };
}

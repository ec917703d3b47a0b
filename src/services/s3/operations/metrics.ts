import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import { readPageToken, writePageToken } from "../../page-token.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { MOST_CONFIGURATIONS, readConfiguration, writeConfiguration } from "../metrics/configuration.ts";
import type { RequestMetrics } from "../metrics/requests.ts";
import { reviseSettings } from "../settings.ts";
import { requireBucket } from "../store.ts";

type S3 = typeof client;

/** The most that S3 lists at once. */
const PAGE = 100;

/** For which requests to a bucket metrics are counted. */
export function metricsOperations({ documents }: S3Deps, requests: RequestMetrics) {
  const PutBucketMetricsConfiguration: Handler<S3, "PutBucketMetricsConfiguration"> = async (input, call) => {
    requireBucket(documents, call, input);
    const configuration = readConfiguration(input.MetricsConfiguration, input.Id);
    await reviseSettings(documents, call, input, ({ metrics = [] }) => {
      const others = metrics.filter(({ Id }) => Id !== configuration.Id);
      if (others.length >= MOST_CONFIGURATIONS) throw s3Errors.tooManyConfigurations();
      return { metrics: [...others, configuration].toSorted((a, b) => (a.Id < b.Id ? -1 : 1)) };
    });
    requests.changed(input.Bucket ?? "");
    return {};
  };

  const GetBucketMetricsConfiguration: Handler<S3, "GetBucketMetricsConfiguration"> = (input, call) => {
    const { metrics = [] } = requireBucket(documents, call, input).value.settings;
    const found = metrics.find(({ Id }) => Id === input.Id);
    if (found === undefined) throw s3Errors.noSuchConfiguration();
    return { MetricsConfiguration: writeConfiguration(found) };
  };

  const ListBucketMetricsConfigurations: Handler<S3, "ListBucketMetricsConfigurations"> = (input, call) => {
    const { metrics = [] } = requireBucket(documents, call, input).value.settings;
    const { ContinuationToken: token } = input;
    const wrong = () =>
      s3Errors.invalidArgument("The continuation token provided is incorrect", "continuation-token");
    const after = token === undefined ? "" : readPageToken(token, ["string"] as const, wrong)[0];
    const left = metrics.filter(({ Id }) => Id > after);
    const shown = left.slice(0, PAGE);
    const truncated = left.length > shown.length;
    return {
      IsTruncated: truncated,
      ...(token === undefined ? {} : { ContinuationToken: token }),
      ...(truncated ? { NextContinuationToken: writePageToken([shown.at(-1)?.Id ?? ""]) } : {}),
      ...(shown.length === 0 ? {} : { MetricsConfigurationList: shown.map(writeConfiguration) }),
    };
  };

  const DeleteBucketMetricsConfiguration: Handler<S3, "DeleteBucketMetricsConfiguration"> = async (
    input,
    call,
  ) => {
    await reviseSettings(documents, call, input, ({ metrics = [] }) => {
      const left = metrics.filter(({ Id }) => Id !== input.Id);
      if (left.length === metrics.length) throw s3Errors.noSuchConfiguration();
      return { metrics: left.length === 0 ? undefined : left };
    });
    requests.changed(input.Bucket ?? "");
    return {};
  };

  return {
    PutBucketMetricsConfiguration,
    GetBucketMetricsConfiguration,
    ListBucketMetricsConfigurations,
    DeleteBucketMetricsConfiguration,
  };
}

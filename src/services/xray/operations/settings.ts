import type * as client from "@aws-sdk/client-xray";
import type { Handler, OperationsOf } from "#wire/operation";
import { xrayErrors } from "../errors.ts";

type XRay = typeof client;

/** What applies to all of an account's traces. Each answers what is so here, and refuses what cannot be. */
export function settingOperations() {
  const GetEncryptionConfig: Handler<XRay, "GetEncryptionConfig"> = () => ({
    EncryptionConfig: { Status: "ACTIVE", Type: "NONE" },
  });

  const PutEncryptionConfig: Handler<XRay, "PutEncryptionConfig"> = ({ Type }) => {
    if (Type !== "NONE") throw xrayErrors.notAvailable("Encryption with a KMS key");
    return { EncryptionConfig: { Status: "ACTIVE", Type: "NONE" } };
  };

  const GetTraceSegmentDestination: Handler<XRay, "GetTraceSegmentDestination"> = () => ({
    Destination: "XRay",
    Status: "ACTIVE",
  });

  const UpdateTraceSegmentDestination: Handler<XRay, "UpdateTraceSegmentDestination"> = ({ Destination }) => {
    if (Destination !== "XRay") throw xrayErrors.notAvailable(`Destination ${Destination ?? ""}`);
    return { Destination: "XRay", Status: "ACTIVE" };
  };

  return {
    GetEncryptionConfig,
    PutEncryptionConfig,
    GetTraceSegmentDestination,
    UpdateTraceSegmentDestination,
  } satisfies OperationsOf<XRay>;
}

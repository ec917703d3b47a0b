import { findOidcProvider } from "#services/iam/oidc-providers";
import { createSamlThread } from "#services/iam/saml-thread";
import { createIamService } from "#services/iam/service";
import { findTokenIssuer } from "#services/iam/token-issuer";
import type { Ingestion } from "#services/logs/ingestion";
import type { SegmentsTaken } from "#services/xray/deps";
import { createMfaCodes } from "#services/iam/mfa-codes";
import { createStsService } from "#services/sts/service";
import { createKeySource } from "#services/sts/web-identity/key-source";
import type { Sessions } from "#wire/auth/sessions";
import { accessanalyzer } from "./services/accessanalyzer.ts";
import { cloudwatch } from "./services/cloudwatch.ts";
import type { ServicePart } from "./part.ts";
import { logs } from "./services/logs.ts";
import type { Permissions } from "./permissions.ts";
import { s3 } from "./services/s3.ts";
import { sns } from "./services/sns.ts";
import { sqs } from "./services/sqs.ts";
import { xray } from "./services/xray.ts";
import type { SharedByServices } from "./shared.ts";

/** The services round Lambda, in the order in which requests that name no service try them. */
export function createNeighbours(
  shared: SharedByServices,
  parts: {
    readonly ingestion: Ingestion;
    readonly permissions: Pick<Permissions, "principals" | "lastUsed" | "usage" | "messages">;
    readonly sessions: Sessions;
    /** Whether missing permissions are refused. */
    readonly enforced: boolean;
    /** Told of segments that X-Ray took. */
    readonly onSegments: (taken: SegmentsTaken) => void;
  },
): ServicePart[] {
  const { storage, clock, ids } = shared;
  const { documents } = storage;
  const { principals, lastUsed, usage, messages } = parts.permissions;
  const saml = createSamlThread(clock);
  return [
    logs(shared, parts.ingestion),
    cloudwatch(shared),
    {
      definition: createIamService({ documents, clock, ids, principals, lastUsed, readSaml: saml.read }),
      start: () => lastUsed.start(),
      async close() {
        await Promise.all([lastUsed.close(), saml.close()]);
      },
    },
    {
      definition: createStsService({
        sessions: parts.sessions,
        roles: principals,
        mfa: createMfaCodes({ documents, clock }),
        clock,
        ids,
        issuerOf(account) {
          const issuer = findTokenIssuer(documents, account)?.value;
          return issuer?.enabled === true ? issuer : undefined;
        },
        providerOf: (account, issuer) => findOidcProvider(documents, account, issuer),
        keySource: createKeySource(clock),
        messages,
        enforced: parts.enforced,
      }),
    },
    sqs(shared),
    xray(shared, parts.onSegments),
    accessanalyzer(shared, { usage, holders: principals }),
    sns(shared),
    // Last: to S3, every path is a bucket's or an object's.
    s3(shared),
  ];
}

import type * as client from "@aws-sdk/client-s3";
import type { Document } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Handler } from "#wire/operation";
import { requireNewBucketAcl } from "../acls.ts";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { requireBucketName } from "../names.ts";
import {
  bucketArn,
  type BucketDocument,
  type BucketName,
  findBucket,
  keys,
  type Ownership,
  ownerId,
  requireBucket,
} from "../store.ts";
import { readTagSet } from "../tags.ts";

type S3 = typeof client;

const OWNERSHIPS: ReadonlySet<string> = new Set([
  "BucketOwnerEnforced",
  "BucketOwnerPreferred",
  "ObjectWriter",
]);

export function bucketOperations({ documents, clock, ids, versions, bytes }: S3Deps) {
  const CreateBucket: Handler<S3, "CreateBucket"> = async (input, call) => {
    const { Bucket: name = "", CreateBucketConfiguration: wanted } = input;
    requireBucketName(name);
    if (input.ObjectLockEnabledForBucket === true) throw s3Errors.notBuilt("Object Lock");
    const location = placeOf(wanted?.LocationConstraint, call.region);
    const ownership = requireOwnership(input.ObjectOwnership);
    const acl = requireNewBucketAcl(input, ownership, call.account);
    const tags = wanted?.Tags === undefined ? {} : readTagSet(wanted.Tags, "new-bucket");
    const found = findBucket(documents, name)?.value;
    if (found !== undefined) {
      if (found.account !== call.account) throw s3Errors.bucketTaken(name);
      // In us-east-1 one may ask for one's own bucket again, unless with tags (recorded).
      if (call.region !== "us-east-1" || found.region !== "us-east-1" || Object.keys(tags).length > 0)
        throw s3Errors.bucketOwned(name);
      return { Location: `/${name}`, BucketArn: bucketArn(found) };
    }
    if (count(bucketsOf(call.account), LIMITS.buckets) >= LIMITS.buckets) throw s3Errors.tooManyBuckets();
    const bucket: BucketDocument = {
      name,
      id: ids.hex(16),
      account: call.account,
      region: location.region,
      created: clock.now(),
      ...(location.constraint === undefined ? {} : { locationConstraint: location.constraint }),
      settings: {
        ownership,
        ...(acl === undefined ? {} : { acl }),
        ...(Object.keys(tags).length === 0 ? {} : { tags }),
        // "By default, all new buckets have Block Public Access enabled" (User Guide).
        publicAccessBlock: {
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          BlockPublicPolicy: true,
          RestrictPublicBuckets: true,
        },
      },
    };
    await claimName(bucket);
    await documents.commit([{ key: keys.bucket(bucket, name), value: bucket }]);
    return {
      Location: bucket.region === "us-east-1" ? `/${name}` : `http://${name}.s3.amazonaws.com/`,
      BucketArn: bucketArn(bucket),
    };
  };

  /** A name whose bucket is gone, or was never finished, is free. */
  async function claimName({ name, id, account, region }: BucketDocument): Promise<void> {
    const key = keys.bucketName(name);
    const known = documents.get<BucketName>(key);
    const value: BucketName = { id, account, region };
    try {
      await documents.commit([
        { key, value, expected: known?.revision ?? 0 },
        { key: keys.place(value), value: {} },
      ]);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      const other = documents.get<BucketName>(key)?.value;
      throw other?.account === account ? s3Errors.bucketOwned(name) : s3Errors.bucketTaken(name);
    }
  }

  const HeadBucket: Handler<S3, "HeadBucket"> = (input, call) => {
    const { value: bucket } = requireBucket(documents, call, input);
    call.responseHeaders["content-type"] = "application/xml";
    return { BucketRegion: bucket.region, BucketArn: bucketArn(bucket), AccessPointAlias: false };
  };

  const GetBucketLocation: Handler<S3, "GetBucketLocation"> = (input, call) => {
    const found = findBucket(documents, input.Bucket ?? "")?.value;
    // Whoever looks for a bucket's region does not know it yet.
    const { value } = requireBucket(documents, { account: call.account, region: found?.region ?? "" }, input);
    const { locationConstraint } = value;
    return locationConstraint === undefined
      ? {}
      : { LocationConstraint: locationConstraint as client.BucketLocationConstraint };
  };

  const DeleteBucket: Handler<S3, "DeleteBucket"> = async (input, call) => {
    const found = requireBucket(documents, call, input);
    const bucket = found.value;
    requireEmpty(bucket);
    const key = keys.bucket(bucket, bucket.name);
    try {
      await documents.commit([{ key, delete: true, expected: found.revision }]);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      return DeleteBucket(input, call);
    }
    // What was being written while the bucket went had been accepted for it: then it stays.
    if (versions.any(bucket) !== undefined) {
      await documents.commit([{ key, value: bucket, expected: 0 }]);
      requireEmpty(bucket);
    }
    await dropUploads(bucket);
    const name = documents.get<BucketName>(keys.bucketName(bucket.name));
    if (name?.value.id === bucket.id)
      await documents
        .commit([{ key: name.key, delete: true, expected: name.revision }])
        .catch(ignoreConflict);
    return {};
  };

  function requireEmpty(bucket: BucketDocument): void {
    const left = versions.any(bucket);
    if (left === undefined) return;
    throw s3Errors.bucketNotEmpty(bucket.name, bucket.settings.versioning !== undefined);
  }

  /** Uploads that nobody completed do not keep a bucket, and end with it. */
  async function dropUploads(bucket: BucketDocument): Promise<void> {
    for (;;) {
      const page = Array.from(documents.list(keys.uploads(bucket), { limit: 100 }));
      if (page.length === 0) return;
      const uploads = page.map(
        ({ key }) => ({ kind: "parts", upload: String(key.at(-1)), count: 0 }) as const,
      );
      await documents.commit([
        ...page.map(({ key }) => ({ key, delete: true }) as const),
        ...uploads.map((upload) => bytes.dropped(bucket, upload)),
      ]);
      bytes.remove(bucket, uploads);
    }
  }

  const ListBuckets: Handler<S3, "ListBuckets"> = (input, call) => {
    const { Prefix: prefix = "", BucketRegion: region, MaxBuckets: most } = input;
    if (region !== undefined && !REGIONS.has(region))
      throw s3Errors.invalidArgument(`Argument value ${region} is not a valid AWS Region`, "bucket-region");
    const after = input.ContinuationToken === undefined ? "" : readToken(input.ContinuationToken);
    const fitting = Array.from(bucketsOf(call.account), ({ value }) => value)
      .filter((bucket) => bucket.name.startsWith(prefix) && bucket.name > after)
      .filter((bucket) => region === undefined || bucket.region === region)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const shown = most === undefined ? fitting : fitting.slice(0, most);
    const last = shown.at(-1);
    const paged = most !== undefined || region !== undefined || input.Prefix !== undefined;
    return {
      Buckets: shown.map((bucket) => ({
        Name: bucket.name,
        CreationDate: new Date(bucket.created),
        BucketArn: bucketArn(bucket),
        // Asked for by the parameters that came with paging ("ListBuckets").
        ...(paged ? { BucketRegion: bucket.region } : {}),
      })),
      Owner: { ID: ownerId(call.account) },
      ...(input.Prefix === undefined ? {} : { Prefix: prefix }),
      ...(shown.length < fitting.length && last !== undefined
        ? { ContinuationToken: Buffer.from(last.name).toString("base64url") }
        : {}),
    };
  };

  function* bucketsOf(account: string): Generator<Document<BucketDocument>> {
    const [first, second, kind] = keys.places;
    for (const { key } of Array.from(documents.list([first, second, kind, account])))
      yield* documents.list<BucketDocument>(keys.buckets({ account, region: String(key[4]) }));
  }

  return { CreateBucket, HeadBucket, GetBucketLocation, DeleteBucket, ListBuckets };
}

/** The regions that AWS had in 2026; a bucket elsewhere is a mistyped one. */
const REGIONS: ReadonlySet<string> = new Set(
  `af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1
  ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1
  cn-north-1 cn-northwest-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3
  il-central-1 me-central-1 me-south-1 mx-central-1 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1
  us-west-1 us-west-2`.split(/\s+/),
);

function readToken(token: string): string {
  return Buffer.from(token, "base64url").toString();
}

function count(items: Iterable<unknown>, most: number): number {
  let found = 0;
  for (const _ of items) if (++found >= most) break;
  return found;
}

function ignoreConflict(error: unknown): void {
  // Somebody has taken the name already.
  if (!(error instanceof RevisionConflict)) throw error;
}

/**
 * Where a bucket is made: the constraint has to be the region of the endpoint, that is of the signature; us-east-1 alone
 * has none, and also makes buckets elsewhere.
 */
function placeOf(
  constraint: string | undefined,
  endpoint: string,
): { readonly region: string; readonly constraint?: string } {
  const region = constraint === "EU" ? "eu-west-1" : constraint;
  if (endpoint === "us-east-1") {
    if (constraint === undefined || region === undefined) return { region: endpoint };
    if (region === "us-east-1" || !REGIONS.has(region)) throw s3Errors.invalidLocation(constraint);
    return { region, constraint };
  }
  if (constraint === undefined || region !== endpoint)
    throw s3Errors.illegalLocation(constraint ?? "unspecified");
  return { region, constraint };
}

export function requireOwnership(ownership: string | undefined): Ownership {
  if (ownership !== undefined && !OWNERSHIPS.has(ownership))
    throw s3Errors.invalidArgument(
      `Invalid x-amz-object-ownership header: ${ownership}`,
      "x-amz-object-ownership",
    );
  return (ownership ?? "BucketOwnerEnforced") as Ownership;
}

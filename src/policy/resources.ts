const PARTITIONS: ReadonlySet<string> = new Set(["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "*"]);

/** What is wrong with an entry of `Resource`, in IAM's words; `undefined` where it is well-formed. */
export function resourceProblem(resource: string): string | undefined {
  if (resource.startsWith("*") || resource.startsWith("?")) return undefined;
  // IAM completes what begins as an ARN: `arn:aws:s3` is one.
  const [scheme, partition, vendor, region = "", , first] = resource.split(":");
  if (scheme !== "arn") return `Resource ${resource} must be in ARN format or "*".`;
  if (partition === undefined || partition === "") return "The policy failed legacy parsing";
  if (!PARTITIONS.has(partition) && !/[*?$]/.test(partition))
    return `Partition "${partition}" is not valid for resource "${resource}".`;
  if (vendor === undefined) return undefined;
  if (/[*?]/.test(vendor) && vendor !== "*" && first !== undefined) return `Vendor ${vendor} is not valid`;
  if (vendor === "s3" && region !== "" && !/[*?$]/.test(region) && first !== undefined && isBucket(first))
    return `Resource ${resource} can not contain region information.`;
  if (vendor === "iam" && region !== "" && region !== "*")
    return `IAM resource ${resource} cannot contain region information.`;
  return undefined;
}

/** Access points and jobs of S3 do have a region; buckets and objects do not. */
function isBucket(resource: string): boolean {
  return !/^(accesspoint|job|storage-lens|async-request|accessgrants)/.test(resource);
}

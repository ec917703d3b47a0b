import { type Packer, Unpacker } from "../packed.ts";
import { noUsage, type Usage, USAGE_FIELDS, type UsageOwner } from "./usage.ts";

/** What a function's day has come to. A record holds those of some functions. */
export function writeUsageRecord(
  packer: Packer,
  { account, region, name, architecture }: UsageOwner,
  day: number,
  usage: Readonly<Usage>,
): void {
  packer.text(account);
  packer.text(region);
  packer.text(name);
  packer.text(architecture);
  packer.whole(day);
  packer.whole(USAGE_FIELDS.length);
  for (const field of USAGE_FIELDS) packer.whole(usage[field]);
}

export function* readUsageRecord(
  body: Uint8Array,
): Generator<{ readonly owner: UsageOwner; readonly day: number; readonly usage: Usage }> {
  const unpacker = new Unpacker(body);
  while (!unpacker.done) {
    const owner = {
      account: unpacker.text(),
      region: unpacker.text(),
      name: unpacker.text(),
      architecture: unpacker.text() === "arm64" ? ("arm64" as const) : ("x86_64" as const),
    };
    const day = unpacker.whole();
    const usage = noUsage();
    // Of an older platform there are fewer, of a newer one more.
    const count = unpacker.whole();
    for (let at = 0; at < count; at++) {
      const value = unpacker.whole();
      const field = USAGE_FIELDS[at];
      if (field !== undefined) usage[field] = value;
    }
    yield { owner, day, usage };
  }
}

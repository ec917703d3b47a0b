import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createMfaCodes } from "./mfa-codes.ts";
import { mfaDeviceOperations } from "./operations/mfa-devices.ts";
import { userOperations } from "./operations/users.ts";
import { codeOf, fromBase32, stepAt } from "./totp.ts";

const storage = withStorage();
const call = testCall();
const STEP_MS = 30_000;

const userOf = (userName: string) =>
  ({ kind: "user", account: call.account, arn: "arn", userId: "AIDA", userName }) as const;
const USER = userOf("u");

/** A user whose device is set up; `code` is what it shows so many steps from now. */
async function setUp({ ahead = 0 } = {}) {
  const deps = iamDeps(storage().documents);
  const iam = { ...mfaDeviceOperations(deps), ...userOperations(deps) };
  const mfa = createMfaCodes(deps);
  await iam.CreateUser({ UserName: "u" }, call);
  await iam.CreateUser({ UserName: "other" }, call);
  const { VirtualMFADevice } = await iam.CreateVirtualMFADevice({ VirtualMFADeviceName: "d" }, call);
  const SerialNumber = VirtualMFADevice?.SerialNumber ?? "";
  const seed = fromBase32(Buffer.from(VirtualMFADevice?.Base32StringSeed ?? []).toString());
  const code = (steps = 0) => codeOf(seed, stepAt(deps.clock.now()) + ahead + steps);
  const pair = (steps: number) => ({
    UserName: "u",
    SerialNumber,
    AuthenticationCode1: code(steps),
    AuthenticationCode2: code(steps + 1),
  });
  await iam.EnableMFADevice(pair(-1), call);
  deps.clock.advance(STEP_MS);
  return { clock: deps.clock, iam, mfa, serial: SerialNumber, code, pair };
}

it("takes a device's code, or one beside it, once, and none from before it", async () => {
  const { clock, mfa, serial, code } = await setUp();
  expect(mfa.check(USER, serial, code(2))).toBe("wrong");
  expect(mfa.check(USER, serial, code())).toBe("good");
  expect(mfa.check(USER, serial, code())).toBe("good");
  const both = await Promise.all([mfa.use(USER, serial, code()), mfa.use(USER, serial, code())]);
  expect(both.toSorted()).toEqual(["good", "wrong"]);
  expect(await mfa.use(USER, serial, code())).toBe("wrong");
  expect(await mfa.use(USER, serial, code(1))).toBe("good");
  clock.advance(STEP_MS);
  expect(await mfa.use(USER, serial, code())).toBe("wrong");
  clock.advance(2 * STEP_MS);
  expect(await mfa.use(USER, serial, code(-1))).toBe("good");
  expect(await mfa.use(USER, serial, code())).toBe("good");
  expect(await mfa.use(USER, serial, "12345")).toBe("wrong");
});

it.each([5, -5])("follows a device whose clock is %i steps off, until another pair tells", async (ahead) => {
  const { clock, iam, mfa, serial, code, pair } = await setUp({ ahead });
  expect(await mfa.use(USER, serial, code())).toBe("good");
  expect(await mfa.use(USER, serial, code(-ahead))).toBe("wrong");
  // The pair that set it up, and that which it is set up anew with, are used up.
  await expect(iam.ResyncMFADevice(pair(-2), call)).rejects.toMatchObject({
    code: "InvalidAuthenticationCode",
  });
  clock.advance(30 * STEP_MS);
  await iam.ResyncMFADevice(pair(-ahead - 1), call);
  expect(await mfa.use(USER, serial, code(-ahead))).toBe("wrong");
  expect(await mfa.use(USER, serial, code(-ahead + 1))).toBe("good");
});

it("knows a device for its user's alone, as long as it is", async () => {
  const { iam, mfa, serial, code } = await setUp();
  expect(mfa.check(userOf("other"), serial, code())).toBe("unknown");
  expect(mfa.check({ ...USER, account: "222222222222" }, serial, code())).toBe("unknown");
  expect(mfa.check(call.principal, serial, code())).toBe("unknown");
  expect(await mfa.use(USER, `${serial}x`, code())).toBe("unknown");
  await iam.UpdateUser({ UserName: "u", NewUserName: "v" }, call);
  expect(await mfa.use(USER, serial, code())).toBe("unknown");
  expect(await mfa.use(userOf("v"), serial, code())).toBe("good");
  await iam.DeactivateMFADevice({ UserName: "v", SerialNumber: serial }, call);
  expect(mfa.check(userOf("v"), serial, code(1))).toBe("unknown");
});

it("stops guessing: after ten wrong codes none is good for five minutes", async () => {
  const { clock, mfa, serial, code } = await setUp();
  for (let n = 0; n < 9; n++) expect(await mfa.use(USER, serial, code(10))).toBe("wrong");
  expect(mfa.check(USER, serial, code())).toBe("good");
  expect(mfa.check(USER, serial, code(10))).toBe("wrong");
  expect(mfa.check(USER, serial, code())).toBe("wrong");
  expect(await mfa.use(USER, serial, code())).toBe("wrong");
  clock.advance(300_000);
  expect(await mfa.use(USER, serial, code())).toBe("good");
});

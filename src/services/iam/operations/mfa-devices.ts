import type * as client from "@aws-sdk/client-iam";
import { RevisionConflict } from "#storage/documents";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { afterPair, type DeviceDocument, type EnabledDocument, mfaKeys } from "../mfa-codes.ts";
import { requireRoom } from "../quotas.ts";
import type { UserDocument } from "../store.ts";
import { addTags, keys, paginate, requireUser, unchanged, valuesUnder } from "../store.ts";
import { tagsOf } from "../tagging.ts";
import { describeUser, ownName } from "./users.ts";

type Iam = typeof client;

/** Virtual devices of users, set up by two codes in a row. */
export function mfaDeviceOperations({ documents, clock, ids }: IamDeps) {
  const CreateVirtualMFADevice: Handler<Iam, "CreateVirtualMFADevice"> = async (input, call) => {
    const serial = `arn:aws:iam::${call.account}:mfa${input.Path ?? "/"}${input.VirtualMFADeviceName ?? ""}`;
    const value: DeviceDocument = { serial, seed: ids.base32(64), tags: addTags({}, input.Tags) };
    const key = mfaKeys.device(call.account, serial);
    requireRoom(documents, key);
    try {
      await documents.commit([{ key, value, expected: 0 }]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw iamErrors.deviceExists();
      throw error;
    }
    return { VirtualMFADevice: { SerialNumber: serial, Base32StringSeed: Buffer.from(value.seed) } };
  };

  const DeleteVirtualMFADevice: Handler<Iam, "DeleteVirtualMFADevice"> = async (input, call) => {
    const { key } = requireDevice(call.account, input.SerialNumber);
    await revise<DeviceDocument>(documents, key, () => {
      const { serial } = requireDevice(call.account, input.SerialNumber).value;
      if (ownerOf(call.account, serial) !== undefined) throw iamErrors.deviceInUse();
      return [{ key, delete: true }];
    });
    return {};
  };

  const EnableMFADevice: Handler<Iam, "EnableMFADevice"> = async (input, call) => {
    const {
      key,
      value: { serial },
    } = requireDevice(call.account, input.SerialNumber);
    const value: EnabledDocument = { enabled: clock.now() };
    await revise<DeviceDocument>(documents, key, () => {
      const user = requireUser(documents, call.account, input.UserName);
      if (ownerOf(call.account, serial) !== undefined) throw iamErrors.deviceExists();
      const owned = Array.from(documents.list(mfaKeys.owned(call.account, user.value.name)));
      if (owned.length >= LIMITS.mfaDevicesPerUser)
        throw iamErrors.quota("MFADevicesPerUser", LIMITS.mfaDevicesPerUser);
      const setUp = afterCodes(requireDevice(call.account, serial).value, input);
      // Writing the device keeps two users from taking it at once.
      return [
        unchanged(user),
        { key, value: setUp },
        { key: [...mfaKeys.owned(call.account, user.value.name), serial], value },
      ];
    });
    return {};
  };

  const ResyncMFADevice: Handler<Iam, "ResyncMFADevice"> = async (input, call) => {
    const { serial } = requireOwned(call, input.UserName ?? "", input.SerialNumber);
    const { key } = requireDevice(call.account, serial);
    await revise<DeviceDocument>(documents, key, () => [
      { key, value: afterCodes(requireDevice(call.account, serial).value, input) },
    ]);
    return {};
  };

  const DeactivateMFADevice: Handler<Iam, "DeactivateMFADevice"> = async (input, call) => {
    const { key } = requireOwned(call, input.UserName ?? ownName(call), input.SerialNumber);
    await documents.commit([{ key, delete: true }]);
    return {};
  };

  /** Without a user's name, whosever the device is. */
  const GetMFADevice: Handler<Iam, "GetMFADevice"> = (input, call) => {
    const serial = input.SerialNumber ?? "";
    if (input.UserName !== undefined) requireOwned(call, input.UserName, serial);
    const owner = ownerOf(call.account, serial);
    if (owner === undefined) throw iamErrors.deviceMissing(serial);
    return { UserName: owner.user.name, SerialNumber: serial, EnableDate: new Date(owner.enabled) };
  };

  const ListMFADevices: Handler<Iam, "ListMFADevices"> = (input, call) => {
    const user = requireUser(documents, call.account, input.UserName ?? ownName(call)).value;
    const owned = Array.from(documents.list<EnabledDocument>(mfaKeys.owned(call.account, user.name)));
    const { items, paging } = paginate(input, owned, ({ key }) => String(key.at(-1)));
    return {
      MFADevices: items.map(({ key, value }) => ({
        UserName: user.name,
        SerialNumber: String(key.at(-1)),
        EnableDate: new Date(value.enabled),
      })),
      ...paging,
    };
  };

  const ListVirtualMFADevices: Handler<Iam, "ListVirtualMFADevices"> = (input, { account }) => {
    const wanted = input.AssignmentStatus ?? "Any";
    const owners = new Map(owned(account));
    const all = Array.from(valuesUnder<DeviceDocument>(documents, mfaKeys.devices(account)), (device) => ({
      device,
      owner: owners.get(device.serial),
    })).filter(({ owner }) => wanted === "Any" || (wanted === "Assigned") === (owner !== undefined));
    const { items, paging } = paginate(input, all, ({ device }) => device.serial);
    return {
      VirtualMFADevices: items.map(({ device, owner }) => ({
        SerialNumber: device.serial,
        ...(owner === undefined
          ? {}
          : { User: describeUser(account, owner.user), EnableDate: new Date(owner.enabled) }),
      })),
      ...paging,
    };
  };

  const tags = tagsOf(documents, requireDevice);
  const TagMFADevice: Handler<Iam, "TagMFADevice"> = (input, { account }) =>
    tags.tag(account, input.SerialNumber, input);
  const UntagMFADevice: Handler<Iam, "UntagMFADevice"> = (input, { account }) =>
    tags.untag(account, input.SerialNumber, input);
  const ListMFADeviceTags: Handler<Iam, "ListMFADeviceTags"> = (input, { account }) =>
    tags.list(account, input.SerialNumber, input);

  function requireDevice(account: string, serial = "") {
    const found = documents.get<DeviceDocument>(mfaKeys.device(account, serial));
    if (found === undefined) throw iamErrors.deviceMissing(serial);
    return found;
  }

  function requireOwned({ account }: CallContext, user: string, serial = "") {
    requireUser(documents, account, user);
    const key = [...mfaKeys.owned(account, user), serial] as const;
    if (documents.get(key) === undefined) throw iamErrors.deviceMissing(serial);
    return { key, serial };
  }

  /** The device once two codes of its in a row are used up. */
  function afterCodes(
    device: DeviceDocument,
    { AuthenticationCode1: first = "", AuthenticationCode2: second = "" }: client.ResyncMFADeviceRequest,
  ): DeviceDocument {
    const changed = afterPair(device, [first, second], clock.now());
    if (changed === undefined) throw iamErrors.authenticationCode();
    return changed;
  }

  /** Users may be renamed: what hangs from them says whose a device is. */
  function* owned(
    account: string,
  ): Generator<[serial: string, owner: { user: UserDocument; enabled: number }]> {
    for (const { key, value } of documents.list<EnabledDocument>(mfaKeys.owners(account))) {
      const user = documents.get<UserDocument>(keys.user(account, String(key[3])))?.value;
      if (user !== undefined) yield [String(key.at(-1)), { user, enabled: value.enabled }];
    }
  }

  function ownerOf(account: string, wanted: string) {
    for (const [serial, owner] of owned(account)) if (serial === wanted) return owner;
    return undefined;
  }

  return {
    CreateVirtualMFADevice,
    DeleteVirtualMFADevice,
    EnableMFADevice,
    ResyncMFADevice,
    DeactivateMFADevice,
    GetMFADevice,
    ListMFADevices,
    ListVirtualMFADevices,
    TagMFADevice,
    UntagMFADevice,
    ListMFADeviceTags,
  } satisfies OperationsOf<Iam>;
}

import type * as client from "@aws-sdk/client-sns";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { SnsDeps } from "../deps.ts";
import { snsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { type Attributes, keys, type SandboxNumberDocument, takePage } from "../store.ts";
import { isPhoneNumber } from "../subscription/endpoints.ts";

type Sns = typeof client;

/** What an account that has set nothing has (recorded: test_get_sms_attributes_from_unmodified_region). */
const DEFAULTS: Attributes = { MonthlySpendLimit: "1" };

const CHECKS: Readonly<Record<string, (value: string) => boolean>> = {
  MonthlySpendLimit: (value) => /^\d{1,9}$/u.test(value),
  DeliveryStatusIAMRole: (value) => value.startsWith("arn:"),
  DeliveryStatusSuccessSamplingRate: (value) => /^(?:\d{1,2}|100)$/u.test(value),
  DefaultSenderID: (value) => /^(?=.*[A-Za-z])[\w-]{1,11}$/u.test(value),
  DefaultSMSType: (value) => value === "Promotional" || value === "Transactional",
  UsageReportS3Bucket: (value) => value !== "",
};

/** Text messages: what is set for them, and who does not want any. */
export function smsOperations({ documents, ids, outbox }: SnsDeps) {
  const SetSMSAttributes: Handler<Sns, "SetSMSAttributes"> = async (input, call) => {
    const given = input.attributes ?? {};
    for (const [name, value] of Object.entries(given)) {
      const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
      if (check === undefined) throw snsErrors.invalid(`${name} is not a valid attribute`);
      if (!check(value)) throw snsErrors.invalid(`${name} is invalid`);
    }
    const key = keys.smsAttributes(call);
    await revise<Attributes>(documents, key, (current) => [{ key, value: { ...current?.value, ...given } }]);
    return {};
  };

  const GetSMSAttributes: Handler<Sns, "GetSMSAttributes"> = (input, call) => {
    const all = { ...DEFAULTS, ...documents.get<Attributes>(keys.smsAttributes(call))?.value };
    const wanted = input.attributes ?? [];
    if (wanted.length === 0) return { attributes: all };
    return { attributes: Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name))) };
  };

  const CheckIfPhoneNumberIsOptedOut: Handler<Sns, "CheckIfPhoneNumberIsOptedOut"> = (input, call) => {
    const number = requireNumber(input.phoneNumber);
    return { isOptedOut: documents.get(keys.optedOut(call, number)) !== undefined };
  };

  const ListPhoneNumbersOptedOut: Handler<Sns, "ListPhoneNumbersOptedOut"> = (input, call) => {
    const prefix = keys.optedOutNumbers(call);
    const { items, next } = takePage(documents, prefix, input.nextToken, LIMITS.pageItems);
    return {
      phoneNumbers: items.map(({ key }) => String(key.at(-1))),
      ...(next === undefined ? {} : { nextToken: next }),
    };
  };

  const OptInPhoneNumber: Handler<Sns, "OptInPhoneNumber"> = async (input, call) => {
    const number = requireNumber(input.phoneNumber);
    await documents.commit([{ key: keys.optedOut(call, number), delete: true }]);
    return {};
  };

  const CreateSMSSandboxPhoneNumber: Handler<Sns, "CreateSMSSandboxPhoneNumber"> = async (input, call) => {
    const number = requireNumber(input.PhoneNumber);
    const password = String(Number.parseInt(ids.hex(8), 16) % 1_000_000).padStart(6, "0");
    const value: SandboxNumberDocument = { number, status: "Pending", password };
    await documents.commit([{ key: keys.sandboxNumber(call, number), value }]);
    const { account, region } = call;
    await outbox.put({
      channel: "sms",
      account,
      region,
      to: number,
      body: `Your verification code is ${password}.`,
      messageId: ids.uuid(),
    });
    return {};
  };

  async function change(
    call: CallContext,
    number: string,
    decide: (current: SandboxNumberDocument) => SandboxNumberDocument | undefined,
  ): Promise<void> {
    const key = keys.sandboxNumber(call, number);
    await revise<SandboxNumberDocument>(documents, key, (current) => {
      if (current === undefined) throw snsErrors.sandboxNumberMissing();
      const value = decide(current.value);
      return value === undefined ? [{ key, delete: true }] : [{ key, value }];
    });
  }

  return {
    SetSMSAttributes,
    GetSMSAttributes,
    CheckIfPhoneNumberIsOptedOut,
    ListPhoneNumbersOptedOut,
    OptInPhoneNumber,
    CreateSMSSandboxPhoneNumber,
    ...sandbox(),
  } satisfies OperationsOf<Sns>;

  function sandbox() {
    const VerifySMSSandboxPhoneNumber: Handler<Sns, "VerifySMSSandboxPhoneNumber"> = async (input, call) => {
      await change(call, requireNumber(input.PhoneNumber), (current) => {
        if (current.password !== input.OneTimePassword) throw snsErrors.verification();
        return { ...current, status: "Verified" };
      });
      return {};
    };

    const DeleteSMSSandboxPhoneNumber: Handler<Sns, "DeleteSMSSandboxPhoneNumber"> = async (input, call) => {
      await change(call, requireNumber(input.PhoneNumber), () => undefined);
      return {};
    };

    const ListSMSSandboxPhoneNumbers: Handler<Sns, "ListSMSSandboxPhoneNumbers"> = (input, call) => {
      const { items, next } = takePage<SandboxNumberDocument>(
        documents,
        keys.sandboxNumbers(call),
        input.NextToken,
        Math.min(input.MaxResults ?? LIMITS.pageItems, LIMITS.pageItems),
      );
      return {
        PhoneNumbers: items.map(({ value: { number, status } }) => ({ PhoneNumber: number, Status: status })),
        ...(next === undefined ? {} : { NextToken: next }),
      };
    };

    /** Nothing leaves this machine, which is what the sandbox is about. */
    const GetSMSSandboxAccountStatus: Handler<Sns, "GetSMSSandboxAccountStatus"> = () => ({
      IsInSandbox: true,
    });

    const ListOriginationNumbers: Handler<Sns, "ListOriginationNumbers"> = () => ({ PhoneNumbers: [] });

    return {
      VerifySMSSandboxPhoneNumber,
      DeleteSMSSandboxPhoneNumber,
      ListSMSSandboxPhoneNumbers,
      GetSMSSandboxAccountStatus,
      ListOriginationNumbers,
    };
  }
}

function requireNumber(number: string | undefined): string {
  if (number === undefined || !isPhoneNumber(number))
    throw snsErrors.parameter("PhoneNumber", "input incorrectly formatted");
  return number;
}

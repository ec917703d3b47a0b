// The official clients recognise every error of every service, over every protocol.
import { describe, expect, it } from "vitest";
import { AwsError } from "#core/errors";
import { protocols } from "#wire/protocols/registry";
import { createModels } from "#wire/schema/load";
import { clients, officialClient } from "./official-client.ts";

const models = createModels();
const requestId = "7b2f7a3e-0a43-4cf4-9d9c-0f7f9f4f2c11";

interface ClientException {
  readonly name: string;
  readonly message: string;
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId: string };
}

for (const service of Object.keys(clients).map((name) => models.get(name)))
  for (const protocolName of service.protocols) {
    const client = officialClient(service, protocolName);
    const protocol = protocols[protocolName];
    const [operation] = service.operations.values();
    const known = [...new Set([...service.errors.values()].map(({ name }) => name))];
    if (operation === undefined) throw new Error(`${service.name} has no operations`);

    async function thrown(error: AwsError): Promise<ClientException> {
      if (operation === undefined) throw error;
      const response = protocol.serialiseError(service, operation, error, requestId);
      return client.read(operation, response).then(
        () => expect.unreachable("the client took an error for an output"),
        (exception: unknown) => exception as ClientException,
      );
    }

    describe(`${service.name} over ${protocolName}`, () => {
      it.runIf(known.length > 0)("is understood in every error that its schema knows", async () => {
        for (const name of known) {
          const exception = await thrown(new AwsError(name, "what is wrong & where"));
          const shape = service.errors.get(name);
          const codes = [name, shape?.traits.awsQueryError?.[0]];
          expect(codes, name).toContain(exception.name);
          const hasMessage = shape?.members.has("message") === true || shape?.members.has("Message") === true;
          if (hasMessage) expect(exception.message, name).toBe("what is wrong & where");
        }
      });

      it("is understood in an error that no schema knows", async () => {
        const exception = await thrown(new AwsError("SomethingElse", "what is wrong", { status: 418 }));
        expect(exception).toMatchObject({
          name: "SomethingElse",
          message: "what is wrong",
          $metadata: { httpStatusCode: 418, requestId },
        });
      });
    });
  }

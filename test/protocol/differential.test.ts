// What the official clients write, Thaw reads, and the other way round: every operation over every protocol.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { protocols } from "#wire/protocols/registry";
import { createRouter } from "#wire/routing/router";
import { createModels } from "#wire/schema/load";
import type { OperationModel } from "#wire/schema/model";
import { valuesOf } from "./arbitraries.ts";
import { clients, officialClient } from "./official-client.ts";
import { normalise, withoutEmpty } from "./normalise.ts";

const models = createModels();
const router = createRouter(models, Object.keys(clients));
const requestId = "7b2f7a3e-0a43-4cf4-9d9c-0f7f9f4f2c11";

/** EC2 is nine tenths instances, images and the like; what functions need of it is its VPC part. */
const vpcPart =
  /Vpc|Subnet|SecurityGroup|RouteTable|NetworkInterface|InternetGateway|NatGateway|NetworkAcl|Tags|AvailabilityZones|Regions|Address|FlowLogs|AccountAttributes/;

const services = Object.keys(clients).map((name) => {
  const service = models.get(name);
  const operations = [...service.operations.values()].filter(
    (operation) => name !== "ec2" || vpcPart.test(operation.name),
  );
  return { service, operations };
});

const runs = { numRuns: 4, seed: 20_260_101 };

for (const { service, operations } of services)
  for (const protocolName of service.protocols) {
    const client = officialClient(service, protocolName);
    const protocol = protocols[protocolName];
    const tellsEmpty = protocolName.includes("json") || protocolName === "rpcv2-cbor";
    const comparable = (value: unknown): unknown =>
      tellsEmpty ? normalise(value) : withoutEmpty(normalise(value));

    describe(`${service.name} over ${protocolName}`, () => {
      it.each(operations.map((operation) => [operation.name, operation] as const))(
        "reads %s",
        async (_, operation) => {
          await fc.assert(
            fc.asyncProperty(valuesOf(operation.input, protocolName), async (input) => {
              const request = await client.request(operation, input);
              const found = router.route({ ...request, scopeService: service.signingName });
              expect(found).toMatchObject({
                kind: "route",
                operation: { name: operation.name },
                protocol: { name: protocolName },
              });
              const read = protocol.deserialise(service, operation, request);
              expect(comparable(read)).toEqual(comparable(input));
            }),
            runs,
          );
        },
      );

      it.each(operations.filter(hasPlainOutput).map((operation) => [operation.name, operation] as const))(
        "writes what the client reads of %s",
        async (_, operation) => {
          await fc.assert(
            fc.asyncProperty(valuesOf(operation.output, protocolName), async (output) => {
              const response = protocol.serialise(service, operation, output, requestId);
              expect(comparable(await client.read(operation, response))).toEqual(comparable(output));
            }),
            runs,
          );
        },
      );
    });
  }

/** Event streams are framed elsewhere. */
function hasPlainOutput({ output }: OperationModel): boolean {
  return ![...output.members.values()].some(
    ({ shape, traits }) => shape.kind === "union" && (traits.streaming ?? shape.traits.streaming),
  );
}

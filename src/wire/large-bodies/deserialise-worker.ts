import { serveJobs } from "#core/worker-jobs";
import { protocols } from "../protocols/registry.ts";
import { createModels } from "../schema/load.ts";
import { blobsOf } from "./blobs.ts";
import type { DeserialiseJob, Deserialised } from "./large-bodies.ts";

const models = createModels();

serveJobs<DeserialiseJob>(({ service, operation, protocol, request }) => {
  const model = models.get(service);
  const operationModel = model.operations.get(operation);
  if (operationModel === undefined) throw new Error(`${service} has no operation ${operation}`);
  const { buffer, byteOffset, byteLength } = request.body;
  const body = Buffer.from(buffer, byteOffset, byteLength);
  const input = protocols[protocol].deserialise(model, operationModel, { ...request, body });
  const { places, buffers } = blobsOf(input);
  return { value: { input, places } satisfies Deserialised, transfer: buffers };
});

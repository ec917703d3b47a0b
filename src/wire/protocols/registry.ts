import type { ProtocolName } from "../schema/model.ts";
import { rpcV2Cbor } from "./cbor/rpcv2-cbor.ts";
import { awsJson10, awsJson11 } from "./json/aws-json.ts";
import type { Protocol } from "./protocol.ts";
import { ec2Query } from "./query/ec2-query.ts";
import { query } from "./query/query.ts";
import { restJson } from "./rest/rest-json.ts";
import { restXml } from "./xml/rest-xml.ts";

/** Every protocol that AWS's clients speak to the services here. */
export const protocols: Readonly<Record<ProtocolName, Protocol>> = {
  "rest-json": restJson,
  "rest-xml": restXml,
  "aws-json-1.0": awsJson10,
  "aws-json-1.1": awsJson11,
  query,
  "ec2-query": ec2Query,
  "rpcv2-cbor": rpcV2Cbor,
};

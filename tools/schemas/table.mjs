// One client's schemas as a compact table. The form is described beside its reader, in src/wire/schema/table.ts.
import { NormalizedSchema } from "@smithy/core/schema";

/** Traits that protocols need (Traits in src/wire/schema/model.ts), and how the table writes each. */
const keptTraits = {
  httpLabel: Boolean,
  httpHeader: String,
  httpPrefixHeaders: String,
  httpQuery: String,
  httpQueryParams: Boolean,
  httpPayload: Boolean,
  httpResponseCode: Boolean,
  jsonName: String,
  xmlName: String,
  xmlFlattened: Boolean,
  xmlAttribute: Boolean,
  xmlNamespace: (value) => (Array.isArray(value) ? value : ["", value]),
  ec2QueryName: String,
  mediaType: String,
  streaming: Boolean,
  sparse: Boolean,
  idempotencyToken: Boolean,
  sensitive: Boolean,
  eventHeader: Boolean,
  eventPayload: Boolean,
  error: String,
  httpError: Number,
  awsQueryError: (value) => value,
};

const timestampFormats = { 5: "date-time", 6: "http-date", 7: "epoch-seconds" };

/** The schema marks numbers as numbers alone; the facts tell which are not 32-bit integers. */
const defaultNumber = "integer";

export function tableOf(service, client, facts) {
  const settings = settingsOf(client);
  const shapes = new ShapeTable(facts);
  const operations = {};
  const errors = {};
  for (const schema of Object.values(client)) {
    if (!Array.isArray(schema)) continue;
    if (schema[0] === 9) {
      const [, , name, traits, input, output] = schema;
      operations[name] = [
        traits.http === undefined ? 0 : withBucket(traits.http, NormalizedSchema.of(input)),
        shapes.add(NormalizedSchema.of(input)),
        shapes.add(NormalizedSchema.of(output)),
      ];
    } else if (schema[0] === -3 && !schema[1].startsWith("smithy.ts.sdk.synthetic")) {
      const shape = NormalizedSchema.of(schema);
      const index = shapes.add(shape);
      errors[shape.getName()] = index;
      const queryCode = shape.getMergedTraits().awsQueryError?.[0];
      if (queryCode !== undefined) errors[queryCode] ??= index;
    }
  }
  return {
    name: service.name,
    signingName: settings.signingName,
    apiVersion: settings.version,
    targetPrefix: settings.serviceTarget,
    xmlNamespace: service.xmlNamespace ?? settings.xmlNamespace ?? null,
    protocols: service.protocols,
    shapes: shapes.rows,
    operations: sorted(operations),
    errors: sorted(errors),
  };
}

/**
 * The client for s3 takes the bucket out of every path, because its endpoint rules put it there or into the host name.
 * The table has it in the path, where it is in path-style requests; host-style ones are brought to that form first.
 */
function withBucket([method, uri, status], input) {
  const bucket =
    input.isStructSchema() && input.getSchema()[4].includes("Bucket")
      ? input.getMemberSchema("Bucket")
      : undefined;
  if (!bucket?.getMergedTraits().httpLabel || uri.includes("{Bucket}")) return [method, uri, status];
  return [
    method,
    uri.startsWith("/?") || uri === "/" ? `/{Bucket}${uri.slice(1)}` : `/{Bucket}${uri}`,
    status,
  ];
}

function settingsOf(client) {
  const name = Object.keys(client).find((key) => key.endsWith("Client") && key !== "__Client");
  const { config } = new client[name]({ region: "us-east-1" });
  return { ...config.protocolSettings, signingName: config.defaultSigningName };
}

function sorted(record) {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

class ShapeTable {
  rows = [];
  #indexes = new Map();
  #facts;

  constructor(facts) {
    this.#facts = facts;
  }

  /** The row of `schema`'s own shape, added when it is new. `number` is the kind of the numbers in its leaves. */
  add(schema, number) {
    const traits = traitsOf(schema, schema.getOwnTraits());
    if (schema.isUnitSchema()) return this.#row("unit", () => ["structure", "Unit", 0, []]);
    if (schema.isStructSchema()) {
      const kind = schema.isUnionSchema() ? "union" : "structure";
      const name = schema.getName();
      return this.#row(
        name,
        () => [kind, name, traits, []],
        (row) => this.#members(schema, name, row[3]),
      );
    }
    const name = isNamed(schema) ? schema.getName() : "";
    if (schema.isListSchema()) {
      const member = schema.getValueSchema();
      return this.#row(
        name || `list ${this.#leafKey(member, number)}`,
        () => ["list", name, traits],
        (row) => {
          row.push(this.#reference(member, number));
        },
      );
    }
    if (schema.isMapSchema()) {
      const value = schema.getValueSchema();
      return this.#row(
        name || `map ${this.#leafKey(value, number)}`,
        () => ["map", name, traits],
        (row) => {
          row.push(this.#reference(schema.getKeySchema()), this.#reference(value, number));
        },
      );
    }
    const kind = simpleKind(schema, number);
    return this.#row(`${kind} ${name} ${JSON.stringify(traits)}`, () => [kind, name, traits]);
  }

  #members(schema, structure, rows) {
    const required = schema.getSchema()[6] ?? 0;
    let position = 0;
    for (const [name, member] of schema.structIterator()) {
      const constraints = this.#facts.structures[structure]?.[name] ?? 0;
      const number = this.#facts.numbers[structure]?.[name];
      const row = [name, ...this.#reference(member, number), position++ < required ? 1 : 0, constraints];
      while (row.at(-1) === 0 && row.length > 2) row.pop();
      rows.push(row);
    }
  }

  /** [row, the member's traits over the shape's own, or 0] */
  #reference(member, number) {
    const traits = traitsOf(member, member.getMergedTraits());
    return [this.add(member, number), traits];
  }

  #leafKey(schema, number) {
    return schema.isNumericSchema() ? (number ?? defaultNumber) : JSON.stringify(schema.getSchema());
  }

  #row(key, make, fill) {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.rows.length;
    const row = make();
    this.#indexes.set(key, index);
    this.rows.push(row);
    fill?.(row);
    return index;
  }
}

/** Only schemas that are arrays of their own carry a name; numbers stand for nameless simple shapes, lists and maps. */
function isNamed(schema) {
  return Array.isArray(schema.schema);
}

function simpleKind(schema, number) {
  if (schema.isNumericSchema()) return number ?? defaultNumber;
  if (schema.isBooleanSchema()) return "boolean";
  if (schema.isBlobSchema()) return "blob";
  if (schema.isTimestampSchema()) return "timestamp";
  if (schema.isDocumentSchema()) return "document";
  if (schema.isBigIntegerSchema()) return "bigInteger";
  if (schema.isBigDecimalSchema()) return "bigDecimal";
  if (schema.isStringSchema()) return "string";
  throw new Error(`a schema of no known kind: ${JSON.stringify(schema.getSchema())}`);
}

function traitsOf(schema, traits) {
  const kept = {};
  for (const [name, form] of Object.entries(keptTraits)) {
    if (traits[name] !== undefined) kept[name] = form(traits[name]);
  }
  if (schema.isTimestampSchema()) {
    const format = timestampFormats[schema.getSchema()];
    if (format !== undefined) kept.timestampFormat = format;
  }
  if (schema.isBlobSchema() && schema.isStreaming()) kept.streaming = true;
  return Object.keys(kept).length === 0 ? 0 : kept;
}

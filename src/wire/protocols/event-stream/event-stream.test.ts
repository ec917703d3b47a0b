import { describe, expect, it } from "vitest";
import { AwsError } from "#core/errors";
import type { Member, Shape, StructureShape, Traits } from "../../schema/model.ts";
import {
  encodeEventStream,
  type EventStreamOptions,
  type PayloadCodec,
  type StreamEvent,
} from "./event-stream.ts";
import { decodeMessage } from "./message.ts";

function member(name: string, shape: Shape, traits: Traits = {}): Member {
  return { name, shape, traits: { ...shape.traits, ...traits }, required: false, constraints: undefined };
}

function structure(name: string, members: Member[], traits: Traits = {}): StructureShape {
  return { kind: "structure", name, members: new Map(members.map((each) => [each.name, each])), traits };
}

function simple(kind: "string" | "blob" | "integer"): Shape {
  return { kind, name: kind, traits: {} };
}

// The shape of lambda's InvokeWithResponseStreamResponseEvent, with a header and an error beside it.
const union: StructureShape = {
  ...structure("Events", [
    member(
      "PayloadChunk",
      structure("PayloadChunk", [member("Payload", simple("blob"), { eventPayload: true })]),
    ),
    member("InvokeComplete", structure("InvokeComplete", [member("ErrorCode", simple("string"))])),
    member(
      "Marked",
      structure("Marked", [
        member("Level", simple("integer"), { eventHeader: true }),
        member("Text", simple("string")),
      ]),
    ),
    member(
      "TooSlow",
      structure("TooSlowException", [member("message", simple("string"))], { error: "client" }),
    ),
  ]),
  kind: "union",
};

const codec: PayloadCodec = {
  contentType: "application/json",
  encode(shape, value, skipped) {
    if (shape.kind !== "structure") throw new Error("only structures here");
    const known = Object.entries(value as object).filter(
      ([key]) => shape.members.has(key) && !skipped.has(key),
    );
    return Buffer.from(JSON.stringify(Object.fromEntries(known)));
  },
};

async function read(
  events: () => AsyncGenerator<StreamEvent>,
  options: Partial<EventStreamOptions> = {},
): Promise<unknown[]> {
  const messages: unknown[] = [];
  for await (const frame of encodeEventStream(events(), { union, codec, ...options })) {
    const { headers, body } = decodeMessage(frame);
    const values = [...headers].map(([name, header]) => [name, header.value]);
    messages.push({ ...Object.fromEntries(values), body: Buffer.from(body).toString() });
  }
  return messages;
}

async function* none(): AsyncGenerator<StreamEvent> {
  yield* [];
}

async function* failing(error: Error): AsyncGenerator<StreamEvent> {
  yield* none();
  throw error;
}

describe("encodeEventStream", () => {
  it("writes payloads as they are, members as a document and headers as headers", async () => {
    const messages = await read(async function* () {
      yield { PayloadChunk: { Payload: Buffer.from("part") } };
      yield { Marked: { Level: 3, Text: "x" } };
      yield { InvokeComplete: { ErrorCode: "Unhandled" } };
    });
    const event = { ":message-type": "event" };
    expect(messages).toEqual([
      { ...event, ":event-type": "PayloadChunk", ":content-type": "application/octet-stream", body: "part" },
      {
        ...event,
        ":event-type": "Marked",
        ":content-type": "application/json",
        Level: 3,
        body: '{"Text":"x"}',
      },
      {
        ...event,
        ":event-type": "InvokeComplete",
        ":content-type": "application/json",
        body: '{"ErrorCode":"Unhandled"}',
      },
    ]);
  });

  it("sends an RPC operation's other members first", async () => {
    const shape = structure("Output", [member("sessionId", simple("string")), member("stream", union)]);
    const initialResponse = { shape, value: { sessionId: "s", stream: {} }, streamMember: "stream" };
    const messages = await read(() => none(), { initialResponse });
    expect(messages).toMatchObject([{ ":event-type": "initial-response", body: '{"sessionId":"s"}' }]);
  });

  it("ends with an exception for a modelled error", async () => {
    const messages = await read(() => failing(new AwsError("TooSlowException", "too slow")));
    expect(messages).toEqual([
      {
        ":message-type": "exception",
        ":exception-type": "TooSlow",
        ":content-type": "application/json",
        body: '{"message":"too slow"}',
      },
    ]);
  });

  it("ends with an error for an unmodelled one, and tells nothing of an internal one", async () => {
    const unmodelled = await read(() => failing(new AwsError("Odd", "odd")));
    expect(unmodelled).toEqual([
      { ":message-type": "error", ":error-code": "Odd", ":error-message": "odd", body: "" },
    ]);
    const seen: unknown[] = [];
    const cause = new TypeError("a secret");
    const internal = await read(() => failing(cause), { onInternalError: (error) => seen.push(error) });
    expect(internal).toMatchObject([{ ":message-type": "error", ":error-code": "InternalFailure" }]);
    expect(JSON.stringify(internal)).not.toContain("secret");
    expect(seen).toEqual([cause]);
  });

  it("takes an event that the union does not have for an internal error", async () => {
    const seen: unknown[] = [];
    const messages = await read(
      async function* () {
        yield { Nothing: {} };
      },
      { onInternalError: (error) => seen.push(error) },
    );
    expect(messages).toMatchObject([{ ":error-code": "InternalFailure" }]);
    expect(seen).toHaveLength(1);
  });
});

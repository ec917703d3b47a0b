// How Java functions are called and answer: AWS Lambda Developer Guide, "Define Lambda function handler in Java", and
// EventHandlerLoader, LambdaContext and JacksonFactory of aws-lambda-java-libs.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Guest, withGuest } from "./guest.ts";
import { hasArchive, JavaPackage, jdks } from "./jdk.ts";

const SOURCES = {
  "example/Order.java": `package example;
import java.util.*;
public class Order {
  public enum State { OPEN, SHIPPED }
  private String id; private int quantity; private State state; private List<Item> items; private Map<String, Double> rates;
  private Optional<String> note = Optional.empty(); private boolean gift; private Date when;
  public final String kind = "order"; public String URL; transient String hidden = "x"; private String secret = "s";
  public String getId() { return id; } public void setId(String id) { this.id = id; }
  public int getQuantity() { return quantity; } public void setQuantity(int quantity) { this.quantity = quantity; }
  public State getState() { return state; } public void setState(State state) { this.state = state; }
  public List<Item> getItems() { return items; } public void setItems(List<Item> items) { this.items = items; }
  public Map<String, Double> getRates() { return rates; } public void setRates(Map<String, Double> rates) { this.rates = rates; }
  public Optional<String> getNote() { return note; } public void setNote(Optional<String> note) { this.note = note; }
  public boolean isGift() { return gift; } public void setGift(boolean gift) { this.gift = gift; }
  public Date getWhen() { return when; } void setWhen(Date when) { this.when = when; }
  public static class Item { public String sku; public long price; public byte[] bytes; public int[] sizes; }
}`,
  "example/Handler.java": `package example;
import com.amazonaws.services.lambda.runtime.*;
import java.util.*;
public class Handler extends Base<Order> {
  @Override public Order handleRequest(Order order, Context context) {
    if (order != null && order.getItems() != null && !(order.getItems().get(0) instanceof Order.Item)) throw new AssertionError();
    return order;
  }
}
abstract class Base<T> implements RequestHandler<T, T> {}`,
  "example/Streams.java": `package example;
import com.amazonaws.services.lambda.runtime.*;
import java.io.*;
public class Streams implements RequestStreamHandler {
  @Override public void handleRequest(InputStream input, OutputStream output, Context context) throws IOException {
    byte[] buffer = new byte[8192];
    for (int n; (n = input.read(buffer)) >= 0; ) output.write(buffer, 0, n);
  }
}`,
  "example/Methods.java": `package example;
import com.amazonaws.services.lambda.runtime.*;
import java.io.*;
import java.math.BigDecimal;
import java.time.*;
import java.util.*;
public class Methods {
  public String text(String value) { return value; }
  public int number(int value) { return value + 1; }
  public BigDecimal exact(BigDecimal value) { return value; }
  public static long fixed() { return 42L; }
  public void nothing(Map<String, Object> event) {}
  public Object any(Object event) { return event == null ? "null" : event.getClass().getSimpleName(); }
  public Map<String, Object> map(Map<String, Object> event) { return event; }
  public List<Integer> list(List<Integer> event) { int sum = 0; for (int each : event) sum += each; event.add(sum); return event; }
  public int[] array(int[] event) { return event; }
  public Map<String, Object> times(Times times) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("instant", times.instant); map.put("date", times.date); map.put("moment", times.moment); map.put("old", times.old);
    map.put("wait", times.wait); map.put("id", times.id);
    return map;
  }
  public static class Times { public Instant instant; public LocalDate date; public LocalDateTime moment; public Date old; public Duration wait; public UUID id; }
  public void bytes(InputStream input, OutputStream output) throws IOException { output.write('['); output.write(input.read()); output.write(']'); }
  public void out(OutputStream output, Context context) throws IOException { output.write(('"' + context.getFunctionName() + '"').getBytes()); }
  public String over(String event) { return "one"; }
  public String over(String event, Context context) { return "with context"; }
  public String over(String event, String other, Context context) { return "never"; }
  public Object strange(List<Object> event) { Object[] self = new Object[1]; self[0] = self; return self; }
  public double nan() { return Double.NaN; }
  public String big(Map<String, Integer> event) { char[] text = new char[event.get("bytes")]; Arrays.fill(text, 'x'); return new String(text); }
  public int size(Map<String, String> event) { return event.get("text").length(); }
  public Map<String, String> environment() { return System.getenv(); }
  public List<Object> trace() { return Arrays.<Object>asList(System.getProperty("com.amazonaws.xray.traceHeader"), new File("").getAbsolutePath()); }
  public String property() { return System.getProperty("mine"); }
  public String child() throws Exception {
    Process process = new ProcessBuilder("sh", "-c", "ls /proc/self/fd").start();
    Scanner scanner = new Scanner(process.getInputStream()).useDelimiter("\\\\A");
    return scanner.next();
  }
  public Map<String, Object> context(Context context) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("awsRequestId", context.getAwsRequestId()); map.put("logGroupName", context.getLogGroupName());
    map.put("logStreamName", context.getLogStreamName()); map.put("functionName", context.getFunctionName());
    map.put("functionVersion", context.getFunctionVersion()); map.put("arn", context.getInvokedFunctionArn());
    map.put("memory", context.getMemoryLimitInMB()); map.put("remaining", context.getRemainingTimeInMillis());
    map.put("tenant", context.getTenantId()); map.put("newer", context.getSomethingNewer());
    map.put("logger", context.getLogger() == LambdaRuntime.getLogger()); map.put("equal", context.equals(context));
    if (context.getIdentity() != null) map.put("identity", Arrays.asList(context.getIdentity().getIdentityId(), context.getIdentity().getIdentityPoolId()));
    ClientContext client = context.getClientContext();
    if (client != null) map.put("client", Arrays.asList(client.getClient().getInstallationId(), client.getClient().getAppTitle(), client.getCustom(), client.getEnvironment()));
    return map;
  }
}`,
  "com/amazonaws/services/lambda/runtime/events/SQSEvent.java": `package com.amazonaws.services.lambda.runtime.events;
import java.util.*;
public class SQSEvent {
  private List<Message> records;
  public List<Message> getRecords() { return records; } public void setRecords(List<Message> records) { this.records = records; }
  public static class Message {
    private final String eventSourceArn; private final Date sent;
    public Message(String eventSourceArn, Date sent) { this.eventSourceArn = eventSourceArn; this.sent = sent; }
    public String told() { return eventSourceArn + " " + sent.getTime(); }
  }
}`,
  "example/Events.java": `package example;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;
public class Events { public String sqs(SQSEvent event) { return event.getRecords().get(0).told(); } }`,
  "example/Custom.java": `package example;
import java.io.*;
import java.lang.reflect.Type;
public class Custom implements com.amazonaws.services.lambda.runtime.CustomPojoSerializer {
  @SuppressWarnings("unchecked") public <T> T fromJson(InputStream input, Type type) { return (T) ("read as " + type.getTypeName()); }
  public <T> T fromJson(String input, Type type) { return null; }
  public <T> void toJson(T value, OutputStream output, Type type) {
    try { output.write(("\\"" + value + "\\"").getBytes()); } catch (IOException e) { throw new UncheckedIOException(e); }
  }
}`,
  "inside/Packed.java": `package inside; public class Packed { public static String yes() { return "yes"; } }`,
};

const RECORD = {
  "example/Recorded.java": `package example;
public class Recorded {
  public record Point(int x, java.util.List<String> names) {}
  public Point handle(Point point) { return new Point(point.x() + 1, point.names()); }
}`,
};

describe.each(await jdks())("$name", (jdk) => {
  if (jdk.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  let code: JavaPackage;
  let guest: Guest;
  beforeAll(async () => {
    code = new JavaPackage(jdk, jdk.major >= 16 ? { ...SOURCES, ...RECORD } : SOURCES);
    code.pack(jdk, "lib/packed.jar", "inside");
    guest = await Guest.open(jdk, {
      folder: code.folder,
      handler: "example.Handler",
      environment: { GREETING: "hi" },
      hostEnvironment: { THAW_SECRET: "of the host" },
    });
  });
  afterAll(async () => {
    expect(await guest.close()).toBe(0);
    code.remove();
  });

  const call = async (handler: string, event: unknown, header = {}) =>
    withGuest(jdk, { folder: code.folder, handler, environment: { GREETING: "hi" } }, (each) =>
      each.invoke(event, header),
    );

  it("introduces itself", () => {
    expect(guest.hello).toEqual({ pid: expect.any(Number) as number, version: jdk.name.split(" ")[1] });
    expect(guest.initError).toBeUndefined();
    expect(guest.initLogs).toEqual([]);
    expect(guest.stdout + guest.stderr).toBe("");
  });

  it.runIf(jdk.major >= 13)("starts from an archive of its classes", () => {
    expect(hasArchive(jdk)).toBe(true);
  });

  it("binds a bean through a generic superclass, and writes it without what is null", async () => {
    const order = {
      id: "7",
      quantity: 3,
      state: "SHIPPED",
      items: [
        { sku: 'é"\\\n\u0001', price: 9_007_199_254_740_993n.toString(), bytes: "aGk=", sizes: [1, 2] },
      ],
      rates: { a: 1.5, b: 2 },
      gift: true,
      when: 1_700_000_000_000,
      note: "n",
      URL: "u",
      unknown: [1, { deep: true }],
      secret: "not set",
      hidden: "not set",
    };
    const { value, text } = await guest.invoke(order);
    const { unknown: _unknown, secret: _secret, hidden: _hidden, ...known } = order;
    expect(value).toEqual({
      ...known,
      kind: "order",
      items: [{ sku: 'é"\\\n\u0001', price: expect.any(Number) as number, bytes: "aGk=", sizes: [1, 2] }],
    });
    expect(text).toContain('"sku":"é\\"\\\\\\n\\u0001","price":9007199254740993');
    expect((await guest.invoke({})).value).toEqual({ quantity: 0, note: null, gift: false, kind: "order" });
    // An unknown enum value is null, a single value stands for an array, text for a number.
    const loose = await guest.invoke({
      state: "LOST",
      quantity: "5",
      items: { sku: "a" },
      when: "2023-11-14T22:13:20Z",
    });
    expect(loose.value).toMatchObject({
      quantity: 5,
      items: [{ sku: "a", price: 0 }],
      when: 1_700_000_000_000,
    });
    expect(loose.value).not.toHaveProperty("state");
    expect((await guest.invoke(null)).text).toBe("null");
  });

  it("tells where an event does not fit its type", async () => {
    const { kind, value, logs } = await guest.invoke({ id: { a: 1 } });
    expect(kind).toBe("error");
    expect(value).toMatchObject({
      errorMessage: "An error occurred during JSON parsing",
      errorType: "java.lang.RuntimeException",
      stackTrace: [],
      cause: {
        errorType: "java.io.UncheckedIOException",
        cause: {
          errorMessage:
            'Cannot deserialize value of type `java.lang.String` from Object value (token `JsonToken.START_OBJECT`) (through reference chain: example.Order["id"])',
        },
      },
    });
    expect(logs[0]).toMatch(
      /^An error occurred during JSON parsing: java\.lang\.RuntimeException\njava\.lang\.Runtime/,
    );
    expect((await guest.invokeText("{")).value).toMatchObject({
      errorMessage: "An error occurred during JSON parsing",
    });
  });

  it.each<[string, string, unknown, string]>([
    ["a stream handler", "example.Streams", { a: [1, "é"] }, '{"a":[1,"é"]}'],
    ["String", "example.Methods::text", "é", '"é"'],
    ["a number as String", "example.Methods::text", 5, '"5"'],
    ["int", "example.Methods::number", 41, "42"],
    ["BigDecimal", "example.Methods::exact", 1.25, "1.25"],
    ["a static method without parameters", "example.Methods::fixed", {}, "42"],
    ["void", "example.Methods::nothing", {}, "null"],
    ["Object for a map", "example.Methods::any", {}, '"LinkedHashMap"'],
    ["Object for a fraction", "example.Methods::any", 1.5, '"Double"'],
    [
      "a Map",
      "example.Methods::map",
      { a: { b: [1, 2.5, null, true, 12_345_678_901] } },
      '{"a":{"b":[1,2.5,null,true,12345678901]}}',
    ],
    ["a List", "example.Methods::list", [1, 2], "[1,2,3]"],
    ["an array", "example.Methods::array", [1, 2], "[1,2]"],
    ["InputStream and OutputStream", "example.Methods::bytes", 7, "[7]"],
    ["OutputStream and Context", "example.Methods::out", {}, '"fn"'],
    ["the overload with a Context", "example.Methods::over", "x", '"with context"'],
    ["NaN", "example.Methods::nan", {}, '"NaN"'],
    ["a class in a jar", "inside.Packed::yes", {}, '"yes"'],
    [
      "an event class of AWS's",
      "example.Events::sqs",
      { Records: [{ eventSourceARN: "arn", sent: 1.5 }] },
      '"arn 1500"',
    ],
  ])("takes and answers %s", async (_what, handler, event, text) => {
    expect(await call(handler, event)).toMatchObject({ kind: "response", text });
  });

  it.runIf(jdk.major >= 16)("takes and answers a record", async () => {
    const { value } = await call("example.Recorded::handle", { x: 1, names: ["a"], more: 1 });
    expect(value).toEqual({ x: 2, names: ["a"] });
  });

  it("reads and writes dates and times as Lambda's serializer does", async () => {
    const id = "123e4567-e89b-12d3-a456-426614174000";
    const event = {
      instant: "2023-11-14T22:13:20.5Z",
      date: "2023-11-14",
      moment: [2023, 11, 14, 22, 13],
      old: 5,
      wait: "PT1.5S",
      id,
    };
    const { text } = await call("example.Methods::times", event);
    expect(text).toBe(
      `{"instant":1700000000.500000000,"date":[2023,11,14],"moment":[2023,11,14,22,13],"old":5,"wait":1.500000000,"id":"${id}"}`,
    );
  });

  it("fails on a response without JSON", async () => {
    expect((await call("example.Methods::strange", [])).value).toMatchObject({
      errorMessage: "An error occurred during JSON serialization of response",
      errorType: "java.lang.RuntimeException",
    });
  });

  it("moves large events and responses, and tells one that no frame can hold", async () => {
    await withGuest(jdk, { folder: code.folder, handler: "example.Methods::big" }, async (each) => {
      for (const bytes of [64 * 1024 - 200, 6 * 1024 * 1024])
        expect((await each.invoke({ bytes })).value).toHaveLength(bytes);
      expect(await each.invoke({ bytes: 33 * 1024 * 1024 })).toMatchObject({
        kind: "error",
        value: { errorType: "Function.ResponseSizeTooLarge" },
      });
    });
    expect((await call("example.Methods::size", { text: "x".repeat(6 * 1024 * 1024) })).value).toBe(
      6 * 1024 * 1024,
    );
  });

  it("fills the context in", async () => {
    const header = {
      clientContext: JSON.stringify({
        client: { installation_id: "i", app_title: "t" },
        custom: { k: "v" },
        env: { locale: "en" },
      }),
      identity: JSON.stringify({ cognitoIdentityId: "id", cognitoIdentityPoolId: "pool" }),
      deadlineMs: Date.now() + 3_600_000,
      tenantId: "blue",
    };
    const { value } = await call("example.Methods::context", {}, header);
    expect(value).toMatchObject({
      awsRequestId: "request-1",
      logGroupName: "/aws/lambda/fn",
      logStreamName: "2026/01/01/[$LATEST]0",
      functionName: "fn",
      functionVersion: "$LATEST",
      arn: "arn:aws:lambda:us-east-1:000000000000:function:fn",
      memory: 128,
      tenant: "blue",
      logger: true,
      equal: true,
      identity: ["id", "pool"],
      client: ["i", "t", { k: "v" }, { locale: "en" }],
    });
    const { remaining } = value as { remaining: number };
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThanOrEqual(3_600_000);
    expect((await call("example.Methods::context", {}, { deadlineMs: 0 })).value).toMatchObject({
      remaining: 0,
    });
  });

  it("sees the function's environment alone, and the trace of the running event", async () => {
    expect((await call("example.Methods::environment", {})).value).toEqual({
      PATH: process.env["PATH"],
      GREETING: "hi",
    });
    await withGuest(jdk, { folder: code.folder, handler: "example.Methods::trace" }, async (each) => {
      expect((await each.invoke({}, { traceId: "Root=1-a" })).value).toEqual(["Root=1-a", each.taskRoot]);
      expect((await each.invoke({})).value).toEqual([null, each.taskRoot]);
    });
  });

  it("honours JAVA_TOOL_OPTIONS", async () => {
    const hostEnvironment = { JAVA_TOOL_OPTIONS: "-Dmine=yes -XX:TieredStopAtLevel=4" };
    const content = { folder: code.folder, handler: "example.Methods::property", hostEnvironment };
    await withGuest(jdk, content, async (each) => {
      expect((await each.invoke({})).value).toBe("yes");
      expect(each.stderr).toBe("Picked up JAVA_TOOL_OPTIONS: -Dmine=yes -XX:TieredStopAtLevel=4\n");
      expect(each.stdout).toBe("");
    });
  });

  it("leaves reading and writing to the function's own serializer", async () => {
    const files = {
      "META-INF/services/com.amazonaws.services.lambda.runtime.CustomPojoSerializer": "example.Custom\n",
    };
    const content = { folder: code.folder, files, handler: "example.Methods::text" };
    await withGuest(jdk, content, async (each) => {
      expect((await each.invoke({ any: 1 })).value).toBe("read as java.lang.String");
    });
  });

  it("keeps its channel from the processes that a function starts", async () => {
    const listed = ((await call("example.Methods::child", {})).value as string).split("\n");
    expect(listed).toContain("2");
    expect(listed).not.toContain("4");
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QueryError } from "./error.ts";
import { encodeLogRecord, LogRecordView } from "#telemetry/log-record";
import { RunningQuery, type ResultField } from "./run.ts";

const START = Date.UTC(2026, 1, 17, 10, 0, 0);

/** Runs a query over messages that came a second after one another. @returns rows as objects, without `@ptr` */
function ask(query: string, messages: readonly (string | object)[], limit?: number) {
  const running = new RunningQuery(query, START, limit);
  const origin = { account: "111111111111", group: "/aws/lambda/f", stream: "s" };
  for (const [sequence, message] of messages.entries()) {
    const time = START + sequence * 1000;
    const text = typeof message === "string" ? message : JSON.stringify(message);
    const body = encodeLogRecord(time + 5, time, text);
    running.push(origin, sequence, new LogRecordView(body, 0, body.length));
  }
  const outcome = running.finish();
  return { ...outcome, rows: outcome.rows.map((row) => asObject(row)) };
}

function asObject(row: readonly ResultField[]): Record<string, string> {
  return Object.fromEntries(
    row.filter(({ field }) => field !== "@ptr").map(({ field, value }) => [field, value]),
  );
}

const REPORT =
  "REPORT RequestId: 66ffbfb0-ab81-4cb6-bb08-cc5eb1c96be2\tDuration: 1.06 ms\tBilled Duration: 88 ms\t" +
  "Memory Size: 128 MB\tMax Memory Used: 12 MB\tInit Duration: 86.24 ms\t\n";

describe("what a query shows", () => {
  it("shows time and message, latest first, where it names nothing else", () => {
    expect(ask("filter @message like /b/", ["a b", "c", "b"])).toEqual({
      rows: [
        { "@timestamp": "2026-02-17 10:00:02.000", "@message": "b" },
        { "@timestamp": "2026-02-17 10:00:00.000", "@message": "a b" },
      ],
      scanned: 3,
      matched: 2,
      bytes: 5,
    });
  });

  it("shows fields with their names, and with display those alone", () => {
    const events = [{ user: { name: "ann" }, ms: 12 }];
    expect(ask("fields user.name as who, ms * 2, @logStream | fields strlen(who)", events).rows).toEqual([
      { who: "ann", "ms * 2": "24", "@logStream": "s", "strlen(who)": "3" },
    ]);
    expect(ask("fields ms as a, ms + 1 as b | display b", events).rows).toEqual([{ b: "13" }]);
  });

  it("discovers what Lambda's report lines tell", () => {
    const rows = ask(
      'filter @type = "REPORT" | fields @requestId, @duration, @billedDuration, @memorySize / 1000000 as mb, @maxMemoryUsed, @initDuration',
      [REPORT, "START RequestId: 66ffbfb0-ab81-4cb6-bb08-cc5eb1c96be2 Version: $LATEST\n"],
    ).rows;
    expect(rows).toEqual([
      {
        "@requestId": "66ffbfb0-ab81-4cb6-bb08-cc5eb1c96be2",
        "@duration": "1.06",
        "@billedDuration": "88",
        mb: "128",
        "@maxMemoryUsed": "12000000",
        "@initDuration": "86.24",
      },
    ]);
  });
});

describe("conditions", () => {
  const event = {
    level: "ERROR",
    status: 404,
    user: { name: "ann" },
    items: [{ id: "x" }],
    text: "a (b)",
    ok: true,
  };
  it.each([
    ['level = "ERROR"', true],
    ["level != 'ERROR'", false],
    ["status >= 400 and status < 500", true],
    ["status = '404'", true],
    ["not (status = 404) or user.name = 'ann'", true],
    ["items.0.id = 'x'", true],
    ["level in ['WARN', 'ERROR']", true],
    ["level not in ['WARN', 'ERROR']", false],
    ["missing = 1", false],
    ["missing != 1", true],
    ["ispresent(missing)", false],
    ["@message like 'a (b)'", true],
    ["@message not like /(?i)error/", false],
    ["text like /^a \\(b\\)$/", true],
    ["text =~ /b/", true],
    ["ok = 1", true],
    ["status % 5 = 4 and 2 ^ 3 ^ 1 = 8 and -status < 0", true],
    ["isIpInSubnet('10.1.2.3', '10.0.0.0/8')", true],
    ["isIpv4InSubnet('11.1.2.3', '10.0.0.0/8')", false],
    ["if(status > 400, 'x', 'y') = 'x'", true],
    ["coalesce(missing, level) = 'ERROR'", true],
    ["concat(level, '-', status) = 'ERROR-404'", true],
    ["substr(level, 1, 2) = 'RR' and trim('  x ') = 'x' and replace('aXa', 'a', '') = 'X'", true],
    ["greatest(1, status, 3) = 404 and least(1, status) = 1 and round(2.5) = 3", true],
    ["toMillis(datefloor(fromMillis(1771322401000), 1h)) = 1771322400000", true],
    ["jsonParse('{\"a\": 1}') = '{\"a\":1}'", true],
  ])("%s", (condition, expected) => {
    expect(ask(`filter ${condition}`, [event]).matched).toBe(expected ? 1 : 0);
  });
});

describe("commands", () => {
  it("groups, by time and by values, and calculates with aggregates", () => {
    const events = [1, 2, 3, 4, 5].map((ms) => ({ ms, kind: ms % 2 === 0 ? "even" : "odd" }));
    expect(
      ask(
        "stats count(*) as n, sum(ms) / count() as mean, max(ms) - min(ms) as range by kind | sort kind",
        events,
      ).rows,
    ).toEqual([
      { kind: "even", n: "2", mean: "3", range: "2" },
      { kind: "odd", n: "3", mean: "3", range: "4" },
    ]);
    expect(ask("stats count() by bin(2s)", events).rows).toEqual([
      { "bin(2s)": "2026-02-17 10:00:00.000", "count()": "2" },
      { "bin(2s)": "2026-02-17 10:00:02.000", "count()": "2" },
      { "bin(2s)": "2026-02-17 10:00:04.000", "count()": "1" },
    ]);
    expect(
      ask(
        "stats avg(ms) as a, stddev(ms) as s, pct(ms, 50) as p, count_distinct(kind) as d, earliest(ms) as e, latest(ms) as l, sortsLast(kind) as k",
        events,
      ).rows,
    ).toEqual([{ a: "3", s: "1.4142", p: "3", d: "2", e: "1", l: "5", k: "odd" }]);
    expect(ask("stats count(*)", []).rows).toEqual([{ "count(*)": "0" }]);
    expect(ask("stats count() as n by kind | stats sum(n) as total", events).rows).toEqual([{ total: "5" }]);
  });

  it("parses with stars and with regular expressions", () => {
    const lines = ["user=ann, method:GET, latency := 12 ms", "other"];
    expect(
      ask(
        'parse @message "user=*, method:*, latency := * ms" as who, how, ms | filter ispresent(who) | display who, how, ms',
        lines,
      ).rows,
    ).toEqual([{ who: "ann", how: "GET", ms: "12" }]);
    expect(ask("parse @message /latency := (?<ms>\\d+)/ | stats max(ms)", lines).rows).toEqual([
      { "max(ms)": "12" },
    ]);
    expect(ask('parse "user=*," as who | stats count() by who', lines).rows).toHaveLength(2);
  });

  it("knows the columns of stats by how they were written", () => {
    const events = [1, 1, 2, 3, 3, 3].map((k) => JSON.stringify({ k }));
    expect(ask("stats count(*) by k | filter count( * ) > 1 | sort count(*) desc", events).rows).toEqual([
      { k: "3", "count(*)": "3" },
      { k: "1", "count(*)": "2" },
    ]);
    expect(ask("stats count(*) by bin(1h) | sort bin(1h) desc | display bin(1h)", events).rows).toEqual([
      { "bin(1h)": expect.stringMatching(/:00:00\.000$/) as string },
    ]);
    expect(ask("stats max(k) by k | stats count(*), sum(k)", events).rows).toEqual([
      { "count(*)": "3", "sum(k)": "6" },
    ]);
    expect(() => ask("stats count(*) as n by k | sort count(*)", events)).toThrow("unknown function count");
  });

  it("sorts, limits, and keeps the first of those that are alike", () => {
    const events = [3, 1, 2, 1, 3].map((n, at) => ({ n, at }));
    expect(ask("fields n, at | sort n desc, at asc | limit 3", events).rows).toEqual([
      { n: "3", at: "0" },
      { n: "3", at: "4" },
      { n: "2", at: "2" },
    ]);
    expect(ask("fields n | dedup n | sort n", events).rows).toEqual([{ n: "1" }, { n: "2" }, { n: "3" }]);
    expect(ask("fields n", events, 2).rows).toHaveLength(2);
  });

  it("finds patterns, and unnests lists", () => {
    const lines = ["took 12 ms for 10.0.0.1", "took 7 ms for 10.0.0.2", "ERROR x"];
    expect(ask("pattern @message", lines).rows).toMatchObject([
      { "@pattern": "took <*> ms for <*>", "@sampleCount": "2", "@ratio": "0.6667" },
      { "@pattern": "ERROR x", "@severityLabel": "ERROR" },
    ]);
    expect(
      ask("fields jsonParse(@message) as doc | unnest doc into one | stats sum(one) as s", ["[1,2,3]"]).rows,
    ).toEqual([{ s: "6" }]);
  });

  it("looks into maps and lists, of the event and such as were parsed", () => {
    const event = JSON.stringify({ a: { b: [1, { c: "x" }] }, Records: [{ r: 1 }, { r: 2 }] });
    expect(
      ask("fields jsonParse(@message) as doc | unnest doc.Records into one | display one.r", [event]).rows,
    ).toEqual([{ "one.r": "1" }, { "one.r": "2" }]);
    expect(
      ask(
        'fields jsonParse(@message) as doc | display doc.a.b, doc.a.b[1].c as x, doc["a"].b[0] as y, doc.none.z as z',
        [event],
      ).rows,
    ).toEqual([{ "doc.a.b": '[1,{"c":"x"}]', x: "x", y: "1" }]);
    expect(ask("unnest a.b into one | display one, a.b[1].c as c", [event]).rows).toEqual([
      { one: "1", c: "x" },
      { one: '{"c":"x"}', c: "x" },
    ]);
    expect(ask("filter a.b[0] in [1, 2] | stats count(*) as n", [event]).rows).toEqual([{ n: "1" }]);
    expect(ask("display a.constructor, a.b.length", [event]).rows).toEqual([{}]);
  });

  it("takes comments, backticks and keywords in either case", () => {
    expect(
      ask("# all of them\nFIELDS `a-b` AS x # not this\n| FILTER x = 1 | SORT x DESC", [{ "a-b": 1 }]).rows,
    ).toEqual([{ x: "1" }]);
  });
});

describe("what is refused", () => {
  it.each([
    "",
    "fields",
    "nonsense @message",
    "filter",
    "filter @message like",
    "filter a = 1 |",
    "stats a",
    "stats count() by",
    "fields nosuch(1)",
    "fields strlen()",
    "fields bin(x)",
    "limit 0",
    "limit 10001",
    "limit x",
    "parse @message '*-*' as one",
    "parse @message",
    "filter @message like /(/",
    "filter @message like /a",
    "fields 'open",
    "fields /a/",
    "stats pct(ms, 101)",
    "stats count() | stats count() | stats count()",
    "fields a ~ b",
  ])("%s", (query) => {
    expect(() => ask(query, ["x"])).toThrow(QueryError);
  });

  it("never fails otherwise, whatever the query and the message", () => {
    const word = fc.constantFrom(
      "fields",
      "filter",
      "stats",
      "sort",
      "by",
      "as",
      "|",
      ",",
      "(",
      ")",
      "count(*)",
      "bin(5m)",
      "@message",
      "like",
      "/a+/",
      "'x'",
      "and",
      "not",
      "in",
      "[",
      "]",
      "parse",
      "'*'",
      "limit",
      "3",
      "dedup",
      "a.b",
      "=",
      "<",
      "-",
      "pct(a,9)",
    );
    const query = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(word, { maxLength: 12 }).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(query, fc.array(fc.oneof(fc.string(), fc.json()), { maxLength: 3 }), (text, messages) => {
        try {
          expect(Array.isArray(ask(text, messages).rows)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(QueryError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

it("counts and sums as a model does, by any grouping", () => {
  const event = fc.record({ a: fc.integer({ min: -5, max: 5 }), k: fc.constantFrom("x", "y", "z") });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.integer({ min: -5, max: 5 }), (events, least) => {
      const kept = events.filter(({ a }) => a >= least);
      const expected = ["x", "y", "z"]
        .map((k) => kept.filter((one) => one.k === k))
        .filter((group) => group.length > 0)
        .map((group) => ({
          k: group[0]?.k,
          n: String(group.length),
          s: String(group.reduce((sum, { a }) => sum + a, 0)),
        }));
      expect(
        ask(`filter a >= ${least} | stats count() as n, sum(a) as s by k | sort k`, events).rows,
      ).toEqual(expected);
    }),
  );
});

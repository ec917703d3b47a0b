import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { keys } from "#services/lambda/store";
import type { FunctionRecord } from "#services/lambda/records";
import type { Change, Documents, ListOptions } from "#storage/documents";
import { openLocalStorage } from "#storage/local/open";
import { ensureBuilt } from "../support/built.ts";
import { callContext, createLambdaFixture } from "../support/lambda-service.ts";
import { clientFor, startPlatform } from "../support/platform.ts";
import { figure } from "./figures.ts";
import { soak } from "./support.ts";

const FUNCTIONS = soak ? 100_000 : 10_000;
const ACCOUNTS = soak ? 1000 : 100;
/** The account that the platform's root key acts in; a tenth of all functions are its own. */
const LARGEST = "000000000000";
const region = "us-east-1";
/** The most that AWS answers at once. */
const PAGE = 50;

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thaw-stored-"));
  const storage = await openStorage();
  try {
    const fixture = createLambdaFixture(storage);
    const call = callContext({ account: LARGEST });
    const role = `arn:aws:iam::${LARGEST}:role/any`;
    await fixture.call(
      "CreateFunction",
      {
        FunctionName: "template",
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Role: role,
        Environment: { Variables: { TABLE: "orders", STAGE: "production" } },
        Code: { ZipFile: Buffer.from("PK a deployment package") },
      },
      call,
    );
    await fixture.service.idle();
    const key = keys.function({ account: LARGEST, region }, "template");
    const template = storage.documents.get<FunctionRecord>(key)?.value;
    if (template === undefined) throw new Error("the template is missing");
    await fixture.call("DeleteFunction", { FunctionName: "template" }, call);
    await seed(storage.documents, template);
    fixture.service.close();
  } finally {
    await storage.close();
  }
}, 600_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openStorage() {
  return openLocalStorage({ folder: join(folder, "data"), clock: systemClock, ids: systemIds });
}

/** As CreateFunction leaves them: one by one through the API, 100,000 would take a quarter of an hour. */
async function seed(documents: Documents, template: FunctionRecord): Promise<void> {
  for (let number = 0; number < ACCOUNTS; number++) {
    const account = String(number).padStart(12, "0");
    const count = number === 0 ? FUNCTIONS / 10 : (FUNCTIONS * 9) / 10 / (ACCOUNTS - 1);
    const scope: Change = { key: ["platform", "global", "lambda-scope", account, region], value: true };
    await documents.commit([scope]);
    const names = Array.from({ length: Math.round(count) }, (_, index) => `function-${index}`);
    for (let at = 0; at < names.length; at += 500)
      await documents.commit(
        names.slice(at, at + 500).map((name) => ({
          key: keys.function({ account, region }, name),
          value: {
            ...template,
            name,
            revisionId: systemIds.uuid(),
            settings: { ...template.settings, specId: systemIds.uuid() },
          },
        })),
      );
  }
}

/** Counts the documents that are read in lists. */
function counting(documents: Documents): { readonly documents: Documents; taken(): number } {
  let read = 0;
  const counted: Documents = Object.create(documents, {
    list: {
      value: function* list(prefix: Parameters<Documents["list"]>[0], options?: ListOptions) {
        for (const document of documents.list(prefix, options)) {
          read++;
          yield document;
        }
      },
    },
  }) as Documents;
  return {
    documents: counted,
    taken() {
      const before = read;
      read = 0;
      return before;
    },
  };
}

test.each([undefined, "ALL"] as const)(
  `a page of ${FUNCTIONS} functions reads no more than it shows (FunctionVersion %s)`,
  async (FunctionVersion) => {
    const storage = await openStorage();
    try {
      const counted = counting(storage.documents);
      const lambda = createLambdaFixture({ ...storage, documents: counted.documents });
      await lambda.service.resume();
      // A boot looks for what is unfinished, and finds it without going through the functions.
      expect(counted.taken()).toBeLessThanOrEqual(2 * ACCOUNTS);
      const seen = new Set<string>();
      const times: number[] = [];
      let Marker: string | undefined;
      do {
        const started = performance.now();
        const call = callContext({ account: LARGEST });
        const page = await lambda.call("ListFunctions", { Marker, FunctionVersion }, call);
        times.push(performance.now() - started);
        expect(counted.taken()).toBeLessThanOrEqual(PAGE + 1);
        for (const { FunctionName = "" } of page.Functions ?? []) seen.add(FunctionName);
        Marker = page.NextMarker;
      } while (Marker !== undefined);
      expect(seen.size).toBe(FUNCTIONS / 10);
      lambda.service.close();
      if (soak) {
        const typical = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
        expect(typical).toBeLessThanOrEqual(10);
        const what = FunctionVersion === undefined ? "functions" : "versions";
        await figure(
          `page of ${PAGE} ${what} of ${FUNCTIONS} functions in ${ACCOUNTS} accounts, p50`,
          `${typical.toFixed(2)} ms`,
        );
      }
    } finally {
      await storage.close();
    }
  },
  120_000,
);

/** Milliseconds from the start of the process until it is ready; `look` runs before it ends. */
async function boot(flags: readonly string[], look?: (url: string) => Promise<void>): Promise<number> {
  const started = performance.now();
  const platform = await startPlatform(flags);
  const took = performance.now() - started;
  try {
    await look?.(platform.url);
  } finally {
    await platform.stop();
  }
  return took;
}

test(`the platform boots over ${FUNCTIONS} functions, and lists them`, async () => {
  await ensureBuilt();
  const flags = ["--data", join(folder, "data"), "--account", LARGEST];
  const list = async (url: string): Promise<void> => {
    const client = new LambdaClient(clientFor(url));
    const page = await client.send(new ListFunctionsCommand({}));
    expect(page.Functions).toHaveLength(PAGE);
    client.destroy();
  };
  // The fastest of several tells what booting costs; the others tell what else the machine does.
  const times: number[] = [];
  const empty: number[] = [];
  for (let round = 0; round < (soak ? 5 : 1); round++) {
    times.push(await boot(flags, list));
    empty.push(await boot([]));
  }
  if (!soak) return;
  const [fastest, bare] = [Math.min(...times), Math.min(...empty)];
  const what = `boot over ${FUNCTIONS} functions in ${ACCOUNTS} accounts, fastest of ${times.length}`;
  await figure(
    what,
    `${(fastest / 1000).toFixed(2)} s (over an empty data folder ${(bare / 1000).toFixed(2)} s)`,
  );
  expect(fastest).toBeLessThanOrEqual(1000);
}, 300_000);

import { expect, it } from "vitest";
import { examples, FOLDER, noPython, type Reader } from "../support.ts";
import { basename } from "node:path";

/** What each of these examples answers and logs; the guide gives their code whole, but for 7.2's. */
const SHOWN: Readonly<Record<string, { body: unknown; log: RegExp }>> = {
  "1.1-process-order-python": { body: { status: "processed", order_id: 42 }, log: /START/ },
  "1.1-process-order-node": { body: { status: "processed", order_id: 42 }, log: /START/ },
  "5.1-logs-python": { body: null, log: /\[INFO\]\t.+\tProcessing event: \{'hello': 'logs'\}/ },
  "5.1-logs-node": { body: null, log: /\tINFO\tProcessing event: \{"hello":"logs"\}/ },
  "7.2-fails-python": {
    body: { errorType: "ZeroDivisionError", errorMessage: "division by zero" },
    log: /\[ERROR\]\t.+\tError: division by zero[^]+Traceback/,
  },
  "7.2-fails-node": {
    body: { errorType: "TypeError" },
    log: /\tERROR\tError: Cannot read properties of undefined/,
  },
};

const UNREPAIRED = `import logging
logger = logging.getLogger()
logger.setLevel(logging.DEBUG)

def handler(event, context):
    try:
        # Your code here
    except Exception as e:
        logger.error('Error: %s', str(e))
        raise
`;

export function functions(reader: () => Reader): void {
  for (const { folder, language, event, fails } of examples) {
    const name = basename(folder);
    const shown = SHOWN[name];
    if (shown === undefined) continue;
    it.skipIf(language === "python" && noPython)(`${name} (needs ${language})`, async () => {
      await reader().deploy(name, { as: name.replace(".", "-") });
      const answer = await reader().invoke(name.replace(".", "-"), event);
      expect(answer.error).toBe(fails === undefined ? undefined : "Unhandled");
      if (fails === undefined) expect(answer.body).toEqual(shown.body);
      else expect(answer.body).toMatchObject(shown.body as object);
      expect(answer.log).toMatch(shown.log);
    });
  }

  it.skipIf(noPython)("7.2 without a statement of one's own is no Python (needs python)", async () => {
    await reader().deploy("7.2-fails-python", { as: "unfilled", source: UNREPAIRED });
    const { error, body } = await reader().invoke("unfilled");
    expect(error).toBe("Unhandled");
    expect(body).toMatchObject({
      errorType: "Runtime.UserCodeSyntaxError",
      errorMessage: expect.stringMatching(
        /^Syntax error in module 'app': expected an indented block/,
      ) as string,
    });
  });

  it("every function of the folder has a place in a chapter", () => {
    expect(examples.length).toBeGreaterThan(Object.keys(SHOWN).length);
    for (const { folder } of examples)
      expect(folder.slice(FOLDER.length + 1)).toMatch(/^\d\.\d[ab]?-[a-z-]+$/);
  });
}

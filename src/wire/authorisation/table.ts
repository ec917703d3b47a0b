import type { CallContext } from "../call-context.ts";
import type { Question } from "./types.ts";

type Questions = Record<string, (input: never, call: CallContext) => readonly Question[]>;

/** Operations whose action has their own name, on a resource that is found in the same way for all. */
export function each(
  prefix: string,
  operations: readonly string[],
  ask: (input: never, call: CallContext) => Omit<Question, "action"> | string,
): Questions {
  return Object.fromEntries(
    operations.map((operation) => {
      const action = `${prefix}:${operation}`;
      const questions = (input: never, call: CallContext): readonly Question[] => {
        const asked = ask(input, call);
        return [typeof asked === "string" ? { action, resource: asked } : { action, ...asked }];
      };
      return [operation, questions] as const;
    }),
  );
}

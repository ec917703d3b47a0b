import type { MathContext } from "./context.ts";
import { FUNCTIONS, REFUSED } from "./functions.ts";
import { operate } from "./operators.ts";
import type { Expression } from "./parse.ts";
import { searchOf } from "./searches.ts";
import { MathError } from "./tokens.ts";
import { manySeries, scalar, seriesOf, type Value } from "./values.ts";

/** Words that functions take without quotation marks. */
const WORDS: ReadonlySet<string> = new Set(["REPEAT", "LINEAR", "ASC", "DESC", "AVG", "SUM", "MIN", "MAX"]);

/** @throws MathError */
export function evaluateExpression(expression: Expression, context: MathContext): Value {
  switch (expression.kind) {
    case "number":
      return scalar(expression.value);
    case "string":
      return { kind: "string", value: expression.value };
    case "id":
      return WORDS.has(expression.id)
        ? { kind: "string", value: expression.id }
        : context.value(expression.id);
    case "array":
      return manySeries(
        expression.of.flatMap((element) => seriesOf(evaluateExpression(element, context), "An array")),
      );
    case "negate":
      return operate("*", scalar(-1), evaluateExpression(expression.of, context));
    case "binary": {
      const left = evaluateExpression(expression.left, context);
      return operate(expression.operator, left, evaluateExpression(expression.right, context));
    }
    default:
      return callFunction(expression, context);
  }
}

function callFunction(call: Extract<Expression, { kind: "call" }>, context: MathContext): Value {
  const { name } = call;
  checkCall(call);
  const search = searchOf(call);
  if (search !== undefined) return manySeries(context.search(search));
  const values = call.arguments.map((argument) => evaluateExpression(argument, context));
  const found = FUNCTIONS[name];
  if (found === undefined) throw new MathError(`Unknown function ${name}`);
  return found.run(values, context, name);
}

/** @throws MathError for a function that there is not, or that does not take so many arguments */
export function checkCall({ name, arguments: given }: Extract<Expression, { kind: "call" }>): void {
  if (REFUSED.has(name)) throw new MathError(`The function ${name} is not supported here`);
  const { least, most } =
    name === "SEARCH" ? { least: 2, most: 3 } : (FUNCTIONS[name] ?? { least: -1, most: -1 });
  if (least < 0) throw new MathError(`Unknown function ${name}`);
  if (given.length < least || given.length > most)
    throw new MathError(
      `The function ${name} takes ${least === most ? least : `${least} to ${most}`} arguments`,
    );
}

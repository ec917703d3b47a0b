import type { Place, Text } from "../../document/place.ts";
import { textsOf } from "../../document/place.ts";
import type { PolicyView, StatementView } from "../../document/policy.ts";
import { CURRENT_VERSION } from "#policy/document";
import { firstVariable } from "../../document/variables.ts";
import { errors } from "../errors.ts";
import type { CheckContext } from "../report.ts";

/** Policy variables that are malformed, or stand where IAM takes them for text. */
export function checkVariables(policy: PolicyView, { report }: CheckContext): void {
  for (const statement of policy.statements) {
    for (const text of fixedTexts(statement)) {
      const variable = firstVariable(text.text);
      if (variable !== undefined) report(errors.variableInElement(variable), text);
    }
    for (const text of openTexts(statement)) {
      if (!text.text.includes("${")) continue;
      if (policy.version !== CURRENT_VERSION) report(errors.variableInVersion(), text);
      else checkText(text, report);
    }
  }
}

/** Texts of elements that know no variables. */
function fixedTexts({ actions, principals, sid }: StatementView): readonly Text[] {
  return [
    ...(sid === undefined ? [] : [sid]),
    ...(actions?.texts ?? []),
    ...(principals?.kinds.flatMap(({ texts }) => texts) ?? []),
  ];
}

function openTexts({ resources, conditions }: StatementView): readonly Text[] {
  return [...(resources?.texts ?? []), ...conditions.flatMap(({ values }) => values.flatMap(textsOf))];
}

function checkText(
  text: Text,
  report: (issue: ReturnType<typeof errors.emptyVariable>, place: Place) => void,
): void {
  for (let at = text.text.indexOf("${"); at !== -1; at = text.text.indexOf("${", at + 2)) {
    const end = text.text.indexOf("}", at);
    if (end === -1) {
      report(errors.missingBrace(), text);
      return;
    }
    const inner = text.text.slice(at + 2, end);
    const comma = inner.indexOf(",");
    const name = comma === -1 ? inner : inner.slice(0, comma);
    if (name.trim() === "") report(errors.emptyVariable(), text);
    else if (/\s/.test(name)) report(errors.spaceInVariable(), text);
    else if (comma !== -1 && !/^\s*'[^']*'$/.test(inner.slice(comma + 1)))
      report(errors.missingQuote(), text);
  }
}

import { OperatorError } from "#core/errors";
import { type Command, exit } from "../../command.ts";
import { clientOptions } from "../../options.ts";
import { explain } from "./explain.ts";
import { suggest } from "./suggest.ts";

export const iam: Command = {
  name: "iam",
  summary: "Suggest the least privilege of a role, or explain what was denied",
  arguments: [
    { name: "<what>", description: "suggest or explain" },
    { name: "[role]", description: "a role's name or ARN; explain takes users too" },
  ],
  options: [
    ...clientOptions,
    { flags: "--apply", description: "suggest: put the suggestion in the place of the role's policies" },
    { flags: "--json", description: "as JSON" },
  ],
  examples: [
    ["the smallest policy for what a role really used", "thaw iam suggest my-role"],
    ["why something was denied", "thaw iam explain my-role"],
  ],
  async run(input, host) {
    const [what, role] = input.arguments;
    if (what === "explain") return explain(role, input, host);
    if (what !== "suggest") throw new OperatorError("Say suggest or explain.", exit.usage);
    if (role === undefined) throw new OperatorError("Say whose policy: thaw iam suggest ROLE.", exit.usage);
    return suggest(role, input, host);
  },
};

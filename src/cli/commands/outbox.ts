import { OperatorError } from "#core/errors";
import type { Endpoint } from "../aws.ts";
import { type CliHost, type Command, exit } from "../command.ts";
import { clientFlags, clientOptions } from "../options.ts";
import { jsonLine, printable, printableLines } from "../printable.ts";
import { getJson } from "../trust.ts";

/** As the platform lists them: what SNS would have sent. */
interface Message {
  readonly number: number;
  readonly time: string;
  readonly channel: string;
  readonly to: string;
  readonly subject?: string;
  readonly body: string;
  readonly subscribeUrl?: string;
}

export const outbox: Command = {
  name: "outbox",
  summary: "Show mail, text messages and push notifications that SNS would have sent",
  options: [...clientOptions, { flags: "--json", description: "one JSON object a line, tokens included" }],
  examples: [
    ["what was sent last", "thaw outbox"],
    ["the link that confirms an e-mail subscription", "thaw outbox --json | tail -1 | jq -r .subscribeUrl"],
  ],
  async run(input, host) {
    const messages = await read(host.loadClientConfig(clientFlags(input)));
    for (const message of messages)
      if (input.options["json"]) host.out.line(jsonLine(message));
      else print(message, host);
    if (messages.length === 0 && !input.options["json"]) host.out.line("Nothing was sent yet.");
    return exit.ok;
  },
};

async function read(at: Endpoint): Promise<readonly Message[]> {
  const { status, body } = await getJson(at, "/_thaw/outbox");
  const { messages, message } = (body ?? {}) as { messages?: readonly Message[]; message?: string };
  if (status !== 200 || messages === undefined)
    throw new OperatorError(message ?? `${at.endpoint} has no outbox: it answered ${status}.`);
  return messages;
}

function print({ time, channel, to, subject, body, subscribeUrl }: Message, { out }: CliHost): void {
  out.line(
    `${out.dim(time)} ${channel} ${out.bold(printable(to))}${subject === undefined ? "" : `: ${printable(subject)}`}`,
  );
  for (const line of printableLines(body)) out.line(`    ${line}`);
  if (subscribeUrl !== undefined && !body.includes(subscribeUrl)) out.line(`    ${subscribeUrl}`);
  out.line();
}

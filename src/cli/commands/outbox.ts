import { OperatorError } from "#core/errors";
import { type CliHost, type Command, exit } from "../command.ts";
import { clientFlags, clientOptions } from "../options.ts";
import { jsonLine, printable, printableLines } from "../printable.ts";

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
    const { endpoint } = host.loadClientConfig(clientFlags(input));
    const messages = await read(endpoint);
    for (const message of messages)
      if (input.options["json"]) host.out.line(jsonLine(message));
      else print(message, host);
    if (messages.length === 0 && !input.options["json"]) host.out.line("Nothing was sent yet.");
    return exit.ok;
  },
};

async function read(endpoint: string): Promise<readonly Message[]> {
  let response: Response;
  try {
    response = await fetch(new URL("/_thaw/outbox", endpoint));
  } catch {
    throw new OperatorError(`There is no platform at ${endpoint}.`);
  }
  const answer = (await response.json().catch(() => ({}))) as {
    messages?: readonly Message[];
    message?: string;
  };
  if (!response.ok || answer.messages === undefined)
    throw new OperatorError(answer.message ?? `${endpoint} has no outbox: it answered ${response.status}.`);
  return answer.messages;
}

function print({ time, channel, to, subject, body, subscribeUrl }: Message, { out }: CliHost): void {
  out.line(
    `${out.dim(time)} ${channel} ${out.bold(printable(to))}${subject === undefined ? "" : `: ${printable(subject)}`}`,
  );
  for (const line of printableLines(body)) out.line(`    ${line}`);
  if (subscribeUrl !== undefined && !body.includes(subscribeUrl)) out.line(`    ${subscribeUrl}`);
  out.line();
}

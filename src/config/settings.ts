import { z } from "zod";
import { isLoopback } from "#core/loopback";

/** The platform's settings and what each must be. Messages are for people: they follow the setting's name. */
export const schema = z.strictObject({
  host: z.string().min(1, "must be an address or a host name"),
  port: wholeNumber(0, 65_535),
  data: z.string().min(1, "must be a folder"),
  cache: z.string().min(1, "must be a folder"),
  ephemeral: z.boolean(),
  account: z.string().regex(/^\d{12}$/, "must be 12 digits"),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "must be a region such as us-east-1"),
  /** Undefined: the well-known one, or beyond loopback one that the platform makes. */
  rootKey: z
    .string()
    .regex(/^[^\s:]{3,128}:\S{1,128}$/, "must be ID:SECRET")
    .optional(),
  /** Always where the host is beyond loopback. */
  tls: z.boolean(),
  /** Undefined: the platform makes one of its own. */
  tlsCert: z.string().min(1, "must be a file").optional(),
  tlsKey: z.string().min(1, "must be a file").optional(),
  tlsNames: z
    .string()
    .regex(
      /^[A-Za-z0-9*._:-]{1,253}(?:,[A-Za-z0-9*._:-]{1,253}){0,99}$/,
      "must be names and addresses with commas between them",
    )
    .transform((names) => names.toLowerCase())
    .optional(),
  iam: z.enum(["enforce", "audit", "off"], "must be enforce, audit or off"),
  allowReset: z.boolean(),
  logLevel: z.enum(
    ["trace", "debug", "info", "warn", "error", "silent"],
    "must be trace, debug, info, warn, error or silent",
  ),
  logJson: z.boolean(),
  /** Seconds. */
  grace: z.coerce
    .number("must be a number of seconds")
    .min(0, "must be 0 or more")
    .max(900, "must be 900 or less"),
  concurrency: wholeNumber(1, 100_000),
  sandbox: z.enum(["auto", "bubblewrap", "oci", "process"], "must be auto, bubblewrap, oci or process"),
  /** Undefined: images come from registries alone. */
  images: z.string().min(1, "must be a folder").optional(),
  network: z.enum(["egress", "none", "host"], "must be egress, none or host"),
  localNetwork: z.enum(["allow", "deny"], "must be allow or deny"),
  /** Undefined: nothing is sent. */
  otlp: z
    .string()
    .refine(isCollector, "must be an address such as http://127.0.0.1:4318, without a user or password")
    .optional(),
  /** Undefined: nobody listens. */
  xrayDaemon: address(
    "must be a port, or an address of loopback and a port, such as 127.0.0.1:2000",
  ).optional(),
});

function isCollector(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === "" && password === "";
}

/** `[HOST:]PORT` on loopback. */
function address(message: string) {
  return z.string(message).transform((text, context) => {
    const [, brackets, name, digits] = /^(?:(?:\[([0-9a-f:]+)\]|([^:]+)):)?(\d{1,5})$/i.exec(text) ?? [];
    const host = brackets ?? name ?? "127.0.0.1";
    const port = Number(digits);
    if (isLoopback(host) && port <= 65_535) return { host, port };
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

function wholeNumber(least: number, most: number) {
  const message = `must be a whole number from ${least} to ${most}`;
  return z.coerce.number(message).int(message).min(least, message).max(most, message);
}

export type Config = Readonly<z.infer<typeof schema>>;

/** How a setting is given. One without a value in `flags` is a boolean. */
export interface Setting {
  /** In commander's notation. */
  readonly flags: `--${string}`;
  readonly variable: `THAW_${string}`;
  readonly description: string;
  /** As it is shown; undefined where leaving the setting out is no value of its own. */
  readonly standard?: string;
}

/** Every setting, in the order of `--help` and of docs/configuration.md, which a test ties to this table. */
export const settings: Readonly<Record<keyof Config, Setting>> = {
  host: {
    flags: "--host <address>",
    variable: "THAW_HOST",
    description: "address to listen on",
    standard: "127.0.0.1",
  },
  port: {
    flags: "--port <number>",
    variable: "THAW_PORT",
    description: "port to listen on; 0 takes a free one",
    standard: "4566",
  },
  data: {
    flags: "--data <folder>",
    variable: "THAW_DATA",
    description: "where functions, logs and everything else is kept",
    standard: "~/.local/share/thaw",
  },
  cache: {
    flags: "--cache <folder>",
    variable: "THAW_CACHE",
    description: "what can be fetched or made again: added runtimes, compiled code",
    standard: "~/.cache/thaw",
  },
  ephemeral: {
    flags: "--ephemeral",
    variable: "THAW_EPHEMERAL",
    description: "keep nothing: a temporary data folder, removed at the end",
  },
  account: {
    flags: "--account <id>",
    variable: "THAW_ACCOUNT",
    description: "account of the root key",
    standard: "000000000000",
  },
  region: {
    flags: "--region <name>",
    variable: "THAW_REGION",
    description: "default region",
    standard: "us-east-1",
  },
  rootKey: {
    flags: "--root-key <id:secret>",
    variable: "THAW_ROOT_KEY",
    description: "root credentials; beyond loopback, where the secret test is refused, Thaw makes them",
    standard: "test:test",
  },
  tls: {
    flags: "--tls",
    variable: "THAW_TLS",
    description: "speak TLS on loopback, too; beyond it nothing else is spoken",
  },
  tlsCert: {
    flags: "--tls-cert <file>",
    variable: "THAW_TLS_CERT",
    description: "certificate to show, with its chain, as PEM; without it Thaw makes one in the data folder",
  },
  tlsKey: {
    flags: "--tls-key <file>",
    variable: "THAW_TLS_KEY",
    description: "private key of --tls-cert, as PEM",
  },
  tlsNames: {
    flags: "--tls-names <names>",
    variable: "THAW_TLS_NAMES",
    description: "further names and addresses that clients know this host by; the first one is in links",
  },
  iam: {
    flags: "--iam <mode>",
    variable: "THAW_IAM",
    description: "permissions: enforce them, audit (allow, and tell what would have been denied), or off",
    standard: "enforce",
  },
  concurrency: {
    flags: "--concurrency <number>",
    variable: "THAW_CONCURRENCY",
    description: "concurrent executions of an account and region",
    standard: "1000",
  },
  sandbox: {
    flags: "--sandbox <kind>",
    variable: "THAW_SANDBOX",
    description:
      "walls round functions: bubblewrap, oci (crun or runc), process, or auto: the first that works",
    standard: "auto",
  },
  images: {
    flags: "--images <folder>",
    variable: "THAW_IMAGES",
    description: "where functions may take image layouts and archives from: oci:<folder>, oci-archive:<file>",
  },
  network: {
    flags: "--network <mode>",
    variable: "THAW_NETWORK",
    description: "what functions reach beside the platform: egress (the internet), none, or host (no wall)",
    standard: "egress",
  },
  localNetwork: {
    flags: "--local-network <rule>",
    variable: "THAW_LOCAL_NETWORK",
    description: "whether functions reach private addresses beyond this host: allow or deny",
    standard: "allow",
  },
  otlp: {
    flags: "--otlp <url>",
    variable: "THAW_OTLP",
    description: "send traces, metrics and logs of functions to a collector, by OTLP/HTTP",
  },
  xrayDaemon: {
    flags: "--xray-daemon <[host:]port>",
    variable: "THAW_XRAY_DAEMON",
    description: "take segments of traces from programs of this machine, as X-Ray's daemon does on port 2000",
  },
  grace: {
    flags: "--grace <seconds>",
    variable: "THAW_GRACE",
    description: "how long a shutdown waits for running invocations",
    standard: "30",
  },
  allowReset: {
    flags: "--allow-reset",
    variable: "THAW_ALLOW_RESET",
    description: "let POST /_thaw/reset empty everything",
  },
  logLevel: {
    flags: "--log-level <level>",
    variable: "THAW_LOG_LEVEL",
    description: "trace, debug, info (tells every request), warn, error or silent",
    standard: "info",
  },
  logJson: {
    flags: "--log-json",
    variable: "THAW_LOG_JSON",
    description: "write the platform's log as JSON lines",
  },
};

/** Names of all settings, in the table's order. */
export const settingNames = Object.keys(settings) as readonly (keyof Config)[];

/** A setting of the commands that talk to a platform. Flags win, then `variable`, then AWS's own variables. */
export interface ClientSetting extends Setting {
  readonly awsVariables: readonly string[];
}

export const clientSettings: Readonly<
  Record<"endpoint" | "region" | "rootKey" | "data" | "caBundle", ClientSetting>
> = {
  endpoint: {
    flags: "--endpoint <url>",
    variable: "THAW_ENDPOINT",
    awsVariables: ["AWS_ENDPOINT_URL"],
    description: "the platform's address",
    standard: "http://127.0.0.1:4566",
  },
  region: {
    flags: "--region <name>",
    variable: "THAW_REGION",
    awsVariables: ["AWS_REGION", "AWS_DEFAULT_REGION"],
    description: "region",
    standard: "us-east-1",
  },
  rootKey: {
    flags: "--root-key <id:secret>",
    variable: "THAW_ROOT_KEY",
    awsVariables: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
    description: "credentials; an id of 12 digits is the root of that account",
    standard: "test:test",
  },
  data: {
    flags: "--data <folder>",
    variable: "THAW_DATA",
    awsVariables: [],
    description:
      "data of a platform on this host, for its root key and certificate where the address is https",
    standard: "~/.local/share/thaw",
  },
  caBundle: {
    flags: "--ca-bundle <file>",
    variable: "THAW_CA_BUNDLE",
    awsVariables: ["AWS_CA_BUNDLE"],
    description: "whom to trust, beside the well-known authorities, where the address is https; as PEM",
    standard: "that of --data's own certificate",
  },
};

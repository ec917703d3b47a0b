import type { CommandInput, CommandOption } from "./command.ts";
import type { RawClientConfig } from "#config/client";
import type { RawConfig } from "#config/config";
import { clientSettings, type Config, type Setting, settingNames, settings } from "#config/settings";

function optionOf({ flags, description, standard }: Setting, variables: readonly string[]): CommandOption {
  const shown = standard === undefined ? description : `${description} (default ${standard})`;
  return { flags, description: `${shown} [${variables.join(", ")}]` };
}

/** Options for some of the platform's settings, with their variables. */
export function optionsFor(...names: readonly (keyof Config)[]): readonly CommandOption[] {
  return names.map((name) => optionOf(settings[name], [settings[name].variable]));
}

export const platformOptions = optionsFor(...settingNames);

/** Where client commands find the platform. */
export const clientOptions: readonly CommandOption[] = Object.values(clientSettings).map((setting) =>
  optionOf(setting, [setting.variable, ...setting.awsVariables]),
);

export function platformFlags(input: CommandInput): RawConfig {
  return Object.fromEntries(settingNames.map((name) => [name, input.options[name]]));
}

export function clientFlags(input: CommandInput): RawClientConfig {
  return {
    endpoint: text(input, "endpoint"),
    region: text(input, "region"),
    rootKey: text(input, "rootKey"),
    data: text(input, "data"),
    caBundle: text(input, "caBundle"),
  };
}

/** An option's text, or undefined. */
export function text(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === "string" ? value : undefined;
}

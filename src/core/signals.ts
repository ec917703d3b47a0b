import { constants } from "node:os";

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** The signal, such as `SIGKILL`, that an exit status stands for as shells have it: 128 and the signal's number. */
export function signalOfStatus(status: number | undefined): string | undefined {
  return status === undefined || status <= 128 ? undefined : NAMES[status - 128];
}

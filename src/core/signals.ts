import { constants } from "node:os";

/** Some numbers have two names, of which the first is the usual one: 6 is SIGABRT before it is SIGIOT. */
const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/** Those that Go has words for. */
const TEXTS: Readonly<Record<string, string>> = {
  SIGABRT: "aborted",
  SIGALRM: "alarm clock",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGHUP: "hangup",
  SIGILL: "illegal instruction",
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGPIPE: "broken pipe",
  SIGQUIT: "quit",
  SIGSEGV: "segmentation fault",
  SIGTERM: "terminated",
  SIGTRAP: "trace/breakpoint trap",
  SIGUSR1: "user defined signal 1",
  SIGUSR2: "user defined signal 2",
};

/** The signal, such as `SIGKILL`, that an exit status stands for as shells have it: 128 and the signal's number. */
export function signalOfStatus(status: number | undefined): string | undefined {
  return status === undefined || status <= 128 ? undefined : NAMES[status - 128];
}

/** A signal as Go's os/exec names it, in which AWS's supervisor is written. */
export function signalText(name: string): string {
  const number = Object.entries(constants.signals).find(([each]) => each === name)?.[1];
  return TEXTS[name] ?? `signal ${number ?? 0}`;
}

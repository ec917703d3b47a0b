import { constants } from "node:os";

/** Some numbers have two names, of which the first is the usual one: 6 is SIGABRT before it is SIGIOT. */
const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

/** Words of Go's package syscall for Linux. */
const TEXTS: Readonly<Record<string, string>> = {
  SIGABRT: "aborted",
  SIGALRM: "alarm clock",
  SIGBUS: "bus error",
  SIGCHLD: "child exited",
  SIGCONT: "continued",
  SIGFPE: "floating point exception",
  SIGHUP: "hangup",
  SIGILL: "illegal instruction",
  SIGINT: "interrupt",
  SIGIO: "I/O possible",
  SIGKILL: "killed",
  SIGPIPE: "broken pipe",
  SIGPROF: "profiling timer expired",
  SIGPWR: "power failure",
  SIGQUIT: "quit",
  SIGSEGV: "segmentation fault",
  SIGSTKFLT: "stack fault",
  SIGSTOP: "stopped (signal)",
  SIGSYS: "bad system call",
  SIGTERM: "terminated",
  SIGTRAP: "trace/breakpoint trap",
  SIGTSTP: "stopped",
  SIGTTIN: "stopped (tty input)",
  SIGTTOU: "stopped (tty output)",
  SIGURG: "urgent I/O condition",
  SIGUSR1: "user defined signal 1",
  SIGUSR2: "user defined signal 2",
  SIGVTALRM: "virtual timer expired",
  SIGWINCH: "window changed",
  SIGXCPU: "CPU time limit exceeded",
  SIGXFSZ: "file size limit exceeded",
};

/** The signal, such as `SIGKILL`, that an exit status stands for as shells have it: 128 and the signal's number. */
export function signalOfStatus(status: number | undefined): string | undefined {
  return status === undefined || status <= 128 ? undefined : NAMES[status - 128];
}

/** A signal as Go's os/exec names it, in which AWS's supervisor is written. */
export function signalText(name: string): string {
  return TEXTS[name] ?? name.toLowerCase();
}

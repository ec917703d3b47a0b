import { endianness } from "node:os";
import { SYSCALLS, type Architecture } from "./syscalls.ts";

/** Classic BPF over `struct seccomp_data { int nr; u32 arch; u64 ip; u64 args[6]; }` (seccomp(2)). */
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_AT_LEAST = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const AT_NUMBER = 0;
const AT_ARCHITECTURE = 4;
/** The low word of an argument: both architectures are little endian. */
const argument = (index: number): number => 16 + 8 * index;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const fail = (errno: number): number => 0x00050000 | errno;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

const AUDIT_ARCHITECTURE: Readonly<Record<Architecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** x86_64's second table of calls (x32) has this bit set; nothing needs it, and it would pass by every rule. */
const X32_BIT = 0x40000000;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWTIME. */
const NEW_NAMESPACES = 0x7e020080;

const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

/**
 * Refused with EPERM: what changes the machine, reaches other processes or namespaces, or has been the way in of kernel
 * exploits while no Lambda function needs it. The list follows the default profiles of container engines; functions
 * on AWS run without privileges, too, so that most of it fails there as well.
 */
const DENIED: readonly string[] = [
  "acct",
  "add_key",
  "bpf",
  "clock_adjtime",
  "clock_settime",
  "create_module",
  "delete_module",
  "fanotify_init",
  "finit_module",
  "fsconfig",
  "fsmount",
  "fsopen",
  "fspick",
  "get_kernel_syms",
  "get_mempolicy",
  "init_module",
  "ioperm",
  "iopl",
  "kcmp",
  "kexec_file_load",
  "kexec_load",
  "keyctl",
  "lookup_dcookie",
  "mbind",
  "mount",
  "mount_setattr",
  "move_mount",
  "move_pages",
  "name_to_handle_at",
  "nfsservctl",
  "open_by_handle_at",
  "open_tree",
  "perf_event_open",
  "personality",
  "pivot_root",
  "process_vm_readv",
  "process_vm_writev",
  "ptrace",
  "query_module",
  "quotactl",
  "quotactl_fd",
  "reboot",
  "request_key",
  "set_mempolicy",
  "setdomainname",
  "sethostname",
  "setns",
  "settimeofday",
  "swapoff",
  "swapon",
  "syslog",
  "umount2",
  "unshare",
  "uselib",
  "userfaultfd",
  "ustat",
  "vhangup",
  "chroot",
];

/**
 * Refused as unknown, so that programs take the way they had before: clone3 hides its flags behind a pointer that no
 * filter can follow, and io_uring's requests pass by every filter.
 */
const UNKNOWN: readonly string[] = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"];

/**
 * AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK (socket(2)). All others are answered as by a kernel without them: AF_VSOCK passes
 * by every network namespace, to whatever the machine's hypervisor or a program of the host has there, and the rest is what
 * no function needs and kernels are broken into by (AF_ALG, AF_TIPC, AF_RDS …).
 */
const SOCKET_FAMILIES: readonly number[] = [1, 2, 10, 16];

const SOCKET_CALLS = ["socket", "socketpair"] as const;

/** The filter for `bwrap --seccomp`, or undefined for an architecture without a table. */
export function seccompFilter(architecture: string): Buffer | undefined {
  if (!(architecture === "x64" || architecture === "arm64") || endianness() !== "LE") return undefined;
  const table = SYSCALLS[architecture];
  const program = new Program();
  program.add(LOAD_WORD, AT_ARCHITECTURE);
  program.skipIf(JUMP_EQUAL, AUDIT_ARCHITECTURE[architecture], 1);
  program.add(RETURN, KILL_PROCESS);
  program.add(LOAD_WORD, AT_NUMBER);
  if (architecture === "x64") program.returnIf(JUMP_AT_LEAST, X32_BIT, fail(ENOSYS));
  for (const name of UNKNOWN) {
    const number = table[name];
    if (number !== undefined) program.returnIf(JUMP_EQUAL, number, fail(ENOSYS));
  }
  for (const name of DENIED) {
    const number = table[name];
    if (number !== undefined) program.returnIf(JUMP_EQUAL, number, fail(EPERM));
  }
  // Five steps each: not this call; its argument; the verdict; the number again for what follows.
  program.inspect(table["clone"], argument(0), [[JUMP_ANY_BIT, NEW_NAMESPACES]]);
  program.inspect(table["ioctl"], argument(1), [
    [JUMP_EQUAL, TIOCSTI],
    [JUMP_EQUAL, TIOCLINUX],
  ]);
  for (const name of SOCKET_CALLS)
    program.allowOnly(table[name], argument(0), SOCKET_FAMILIES, fail(EAFNOSUPPORT));
  program.add(RETURN, ALLOW);
  return program.bytes();
}

/** The same for OCI runtimes ("Linux container configuration: seccomp"); undefined for an architecture without a table. */
export function seccompRules(architecture: string): object | undefined {
  if (!(architecture === "x64" || architecture === "arm64")) return undefined;
  const known = (names: readonly string[]): readonly string[] =>
    names.filter((name) => SYSCALLS[architecture][name] !== undefined);
  const refuse = (names: readonly string[], errnoRet: number, args?: readonly object[]): object => ({
    names: known(names),
    action: "SCMP_ACT_ERRNO",
    errnoRet,
    ...(args === undefined ? {} : { args }),
  });
  // One rule a bit: a rule has all of its arguments hold.
  const bits = Array.from({ length: 32 }, (_, bit) => 2 ** bit).filter((bit) => (NEW_NAMESPACES & bit) !== 0);
  return {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: [architecture === "x64" ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64"],
    syscalls: [
      refuse(UNKNOWN, ENOSYS),
      refuse(DENIED, EPERM),
      ...bits.map((bit) =>
        refuse(["clone"], EPERM, [{ index: 0, value: bit, valueTwo: bit, op: "SCMP_CMP_MASKED_EQ" }]),
      ),
      ...[TIOCSTI, TIOCLINUX].map((value) =>
        refuse(["ioctl"], EPERM, [
          { index: 1, value: 0xffffffff, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" },
        ]),
      ),
      ...otherFamilies().map(([op, value]) =>
        refuse(SOCKET_CALLS, EAFNOSUPPORT, [{ index: 0, value, valueTwo: 0, op }]),
      ),
    ],
  };
}

/** What is not in SOCKET_FAMILIES, each by one comparison, as a rule can have no more of one argument. */
function otherFamilies(): readonly (readonly [operator: string, value: number])[] {
  const last = Math.max(...SOCKET_FAMILIES);
  const between = Array.from({ length: last }, (_, family) => family);
  return [
    ...between
      .filter((family) => !SOCKET_FAMILIES.includes(family))
      .map((family) => ["SCMP_CMP_EQ", family] as const),
    ["SCMP_CMP_GT", last],
  ];
}

class Program {
  readonly #steps: (readonly [code: number, yes: number, no: number, value: number])[] = [];

  add(code: number, value: number): void {
    this.#steps.push([code, 0, 0, value]);
  }

  /** Skips so many steps where the test holds. */
  skipIf(test: number, value: number, steps: number): void {
    this.#steps.push([test, steps, 0, value]);
  }

  returnIf(test: number, value: number, verdict: number): void {
    this.#steps.push([test, 0, 1, value]);
    this.add(RETURN, verdict);
  }

  /** For one call: EPERM where a word of its arguments passes one of the tests. */
  inspect(call: number | undefined, word: number, tests: readonly (readonly [number, number])[]): void {
    if (call === undefined) return;
    this.#steps.push([JUMP_EQUAL, 0, 2 * tests.length + 2, call]);
    this.add(LOAD_WORD, word);
    for (const [test, value] of tests) this.returnIf(test, value, fail(EPERM));
    this.add(LOAD_WORD, AT_NUMBER);
  }

  /** For one call: the verdict where a word of its arguments is none of the values. */
  allowOnly(call: number | undefined, word: number, values: readonly number[], verdict: number): void {
    if (call === undefined) return;
    this.#steps.push([JUMP_EQUAL, 0, values.length + 3, call]);
    this.add(LOAD_WORD, word);
    for (const [index, value] of values.entries()) this.skipIf(JUMP_EQUAL, value, values.length - index);
    this.add(RETURN, verdict);
    this.add(LOAD_WORD, AT_NUMBER);
  }

  bytes(): Buffer {
    const bytes = Buffer.alloc(8 * this.#steps.length);
    for (const [index, [code, yes, no, value]] of this.#steps.entries()) {
      bytes.writeUInt16LE(code, 8 * index);
      bytes.writeUInt8(yes, 8 * index + 2);
      bytes.writeUInt8(no, 8 * index + 3);
      bytes.writeUInt32LE(value >>> 0, 8 * index + 4);
    }
    return bytes;
  }
}

import { describe, expect, it } from "vitest";
import { seccompFilter } from "./seccomp.ts";
import { SYSCALLS, type Architecture } from "./syscalls.ts";

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const EAFNOSUPPORT = 0x00050061;
const AUDIT = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

interface Call {
  readonly number: number;
  readonly architecture: number;
  readonly args?: readonly number[];
}

/** What the kernel does with such a program (Documentation/networking/filter.rst), for the steps that ours has. */
function decide(program: Buffer, { number, architecture, args = [] }: Call): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(architecture, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + 8 * index);
  let word = 0;
  for (let step = 0; step < program.length / 8; step++) {
    const [code, yes, no] = [program.readUInt16LE(8 * step), program[8 * step + 2], program[8 * step + 3]];
    const value = program.readUInt32LE(8 * step + 4);
    if (code === 0x06) return value;
    if (code === 0x20) word = data.readUInt32LE(value);
    else {
      const holds = code === 0x15 ? word === value : code === 0x35 ? word >= value : (word & value) !== 0;
      step += (holds ? yes : no) ?? 0;
    }
  }
  throw new Error("the program ends without a verdict");
}

describe.each(["x64", "arm64"] as const)("the seccomp filter of %s", (name: Architecture) => {
  const program = seccompFilter(name) ?? Buffer.alloc(0);
  const table = SYSCALLS[name];
  const verdict = (call: string, args?: readonly number[]): number =>
    decide(program, {
      number: table[call] ?? -1,
      architecture: AUDIT[name],
      ...(args === undefined ? {} : { args }),
    });

  it("refuses what changes the machine or reaches others", () => {
    for (const call of [
      "mount",
      "umount2",
      "pivot_root",
      "ptrace",
      "bpf",
      "unshare",
      "setns",
      "keyctl",
      "reboot",
    ])
      expect([call, verdict(call)]).toEqual([call, EPERM]);
  });

  it("makes clone3 and io_uring unknown, so that programs take the older way", () => {
    for (const call of ["clone3", "io_uring_setup"]) expect([call, verdict(call)]).toEqual([call, ENOSYS]);
  });

  it("lets threads and processes be made, but no namespace", () => {
    expect(verdict("clone", [0x003d0f00])).toBe(ALLOW);
    expect(verdict("clone", [0x01200011])).toBe(ALLOW);
    for (const flag of [0x00020000, 0x02000000, 0x10000000, 0x20000000, 0x40000000, 0x80])
      expect(verdict("clone", [flag | 0x11])).toBe(EPERM);
  });

  it("refuses to type into a terminal, whatever else is set in the request's upper half", () => {
    expect(verdict("ioctl", [0, 0x5412])).toBe(EPERM);
    expect(verdict("ioctl", [0, 0x1_0000_5412])).toBe(EPERM);
    expect(verdict("ioctl", [0, 0x5401])).toBe(ALLOW);
  });

  it("has sockets of files, the network and the kernel's tables, and none past the network's walls", () => {
    const [unix, inet, inet6, netlink, packet, alg, vsock] = [1, 2, 10, 16, 17, 38, 40];
    for (const call of ["socket", "socketpair"]) {
      for (const family of [unix, inet, inet6, netlink])
        expect([family, verdict(call, [family, 1])]).toEqual([family, ALLOW]);
      for (const family of [0, 3, 9, 11, 15, packet, alg, vsock, 0xffffffff])
        expect([family, verdict(call, [family, 1])]).toEqual([family, EAFNOSUPPORT]);
      // The kernel takes the lower half for the family.
      expect(verdict(call, [0x1_0000_0028])).toBe(EAFNOSUPPORT);
    }
    expect(verdict("ptrace")).toBe(EPERM);
  });

  it("allows what it does not name, and ends a process that calls for another architecture", () => {
    expect(decide(program, { number: name === "x64" ? 1 : 64, architecture: AUDIT[name] })).toBe(ALLOW);
    expect(decide(program, { number: 1, architecture: 0x40000003 })).toBe(KILL);
    if (name === "x64")
      expect(decide(program, { number: 0x40000001, architecture: AUDIT[name] })).toBe(ENOSYS);
  });
});

it("has no filter for a processor without a table", () => {
  expect(seccompFilter("riscv64")).toBeUndefined();
});

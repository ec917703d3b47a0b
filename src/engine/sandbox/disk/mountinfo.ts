/** Mount points at or below a folder, deepest first, from the text of a mountinfo file (proc_pid_mountinfo(5)). */
export function mountsBelow(folder: string, mountinfo: string): readonly string[] {
  return mountinfo
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .map((point) =>
      point.replaceAll(/\\([0-7]{3})/gu, (_, octal: string) =>
        String.fromCodePoint(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length);
}

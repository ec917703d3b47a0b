import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { soak } from "./support.ts";

const report = fileURLToPath(new URL("../../docs/durability.md", import.meta.url));
const lock = fileURLToPath(new URL("../../node_modules/.thaw-figures", import.meta.url));

const HEADING = "## At scale";
const INTRODUCTION = [
  HEADING,
  "",
  "`test/scale/` runs functions in the strongest sandbox that the host has: kills environments under load, creates, invokes and",
  "deletes functions, and fills the platform with idle environments. Sizes are of the platform's own process.",
  "",
  "| what | figure |",
  "|---|---|",
];

/** Writes one row of docs/durability.md, in place of what it said before; does nothing outside of a run at full scale. */
export async function figure(what: string, value: number | string): Promise<void> {
  if (!soak) return;
  await locked(() => {
    const text = existsSync(report) ? readFileSync(report, "utf8").trimEnd() : "# Durability";
    const lines = (text.includes(HEADING) ? text : [text, "", ...INTRODUCTION].join("\n")).split("\n");
    const row = `| ${what} | ${value} |`;
    const at = lines.findIndex((line) => line.startsWith(`| ${what} |`));
    if (at === -1) lines.push(row);
    else lines[at] = row;
    writeFileSync(report, `${lines.join("\n")}\n`);
  });
}

/** Test files run side by side. */
async function locked(write: () => void): Promise<void> {
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  try {
    write();
  } finally {
    rmSync(lock, { recursive: true });
  }
}

import { expect } from "vitest";
import { Recording as LambdaRecording, type Json } from "../lambda/recording.ts";

const MASKED_DATE = "(MM/DD/YY HH:MM:SS)";

/** A recording of CloudWatch. Members that are JSON texts were recorded as what they say. */
export class Recording extends LambdaRecording {
  constructor(file: string, scenario: string) {
    super(file, scenario, import.meta.dirname);
  }

  override compare(recorded: Json, actual: Json | undefined, path: string): void {
    if (recorded === "timestamp") return expect(actual, path).toBeTruthy();
    if (typeof recorded === "string" && recorded.includes(MASKED_DATE) && typeof actual === "string")
      return super.compare(
        recorded,
        actual.replaceAll(/\(\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d\)/g, MASKED_DATE),
        path,
      );
    const told = typeof recorded === "object" && recorded !== null && typeof actual === "string";
    super.compare(recorded, told ? (JSON.parse(actual) as Json) : actual, path);
  }
}

import { Recording as LambdaRecording, type Json } from "../lambda/recording.ts";

/** A recording of SNS. Attributes that are JSON texts were recorded as what they say. */
export class Recording extends LambdaRecording {
  constructor(file: string, scenario: string) {
    super(file, scenario, import.meta.dirname);
  }

  override compare(recorded: Json, actual: Json | undefined, path: string): void {
    const told = typeof recorded === "object" && recorded !== null && typeof actual === "string";
    super.compare(recorded, told ? (JSON.parse(actual) as Json) : actual, path);
  }
}

import { describe, expect, it } from "vitest";
import type { ExtensionView } from "../runtime-api/extensions.ts";
import { extensionFailure } from "./exits.ts";

describe("an extension that ends", () => {
  const extension: ExtensionView = { name: "e", external: true, state: "Ready", events: [], ready: true };

  it("is told by its status, or by its signal in Go's words", () => {
    expect(extensionFailure(extension, 3)).toEqual({
      errorType: "Extension.Crash",
      message: "exit status 3",
    });
    expect(extensionFailure(extension, 134).message).toBe("signal: aborted");
    expect(extensionFailure(extension, 255).message).toBe("exit status 255");
  });
});

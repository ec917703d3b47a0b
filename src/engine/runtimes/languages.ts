import type { RuntimeFamily } from "./catalogue.ts";
import type { RuntimeLanguage } from "./language.ts";
import { nodejs } from "./nodejs.ts";
import { python } from "./python.ts";

const LANGUAGES: Readonly<Record<RuntimeFamily, RuntimeLanguage>> = { nodejs, python };

export function language(family: RuntimeFamily): RuntimeLanguage {
  return LANGUAGES[family];
}

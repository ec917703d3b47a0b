import type { RuntimeFamily } from "./catalogue.ts";
import type { RuntimeLanguage } from "./language.ts";
import { java } from "./java.ts";
import { nodejs } from "./nodejs.ts";
import { python } from "./python.ts";
import { ruby } from "./ruby.ts";

const LANGUAGES: Readonly<Record<RuntimeFamily, RuntimeLanguage>> = { nodejs, python, java, ruby };

export function language(family: RuntimeFamily): RuntimeLanguage {
  return LANGUAGES[family];
}

import { compilePattern } from "#policy/glob";
import type { PermissionsTable } from "#wire/schema/permissions";
import { closest } from "./closest.ts";
import { GLOBAL_KEYS } from "./global-keys.ts";

/** What AWS has of a condition key: its type, or what is wrong with it. */
export type KeyFacts =
  | { readonly kind: "known"; readonly type: string }
  | { readonly kind: "unknown key" | "unknown service" }
  /** A claim of an identity provider: nobody can list those. */
  | { readonly kind: "claim" };

/** The form of a service's ARNs, variable parts as `*`: a region or account that it does not have is empty. */
export interface ResourceForm {
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

const NO_KEYS = (): undefined => undefined;

/** What AWS documents of actions, resources and condition keys, ready to be asked. */
export class Reference {
  readonly #services = new Map<
    string,
    { readonly actions: readonly string[]; readonly folded: readonly string[] }
  >();
  readonly #keys = new Map<string, string>();
  /** Keys with variable parts, by their service. */
  readonly #wildKeys = new Map<
    string,
    { readonly fits: (key: string) => boolean; readonly type: string }[]
  >();
  readonly #resources = new Map<string, ResourceForm[]>();
  readonly #resourceControl: ReadonlySet<string>;

  constructor({ services, resourceControl }: PermissionsTable) {
    this.#resourceControl = new Set(resourceControl);
    for (const [name, { actions, keys, arns }] of Object.entries(services)) {
      this.#services.set(name, { actions, folded: actions.map((action) => action.toLowerCase()) });
      for (const [key, type] of Object.entries(keys)) this.#addKey(key.toLowerCase(), type);
      for (const arn of arns) {
        const [service = "", region = "", account = "", ...rest] = arn.split(":");
        const form = { region, account, resource: rest.join(":") };
        this.#resources.set(service, [...(this.#resources.get(service) ?? []), form]);
      }
    }
    for (const [key, type] of GLOBAL_KEYS) this.#addKey(key, type);
  }

  #addKey(key: string, type: string): void {
    if (!key.includes("*")) {
      this.#keys.set(key, type);
      return;
    }
    const service = serviceOf(key);
    const fits = compilePattern(key, { wildcards: true, variables: false });
    const known = this.#wildKeys.get(service) ?? [];
    this.#wildKeys.set(service, [...known, { fits: (name) => fits(name, NO_KEYS) === true, type }]);
  }

  hasService(prefix: string): boolean {
    return this.#services.has(prefix.toLowerCase());
  }

  /** Whether ARNs name it. */
  hasResourcesOf(service: string): boolean {
    return this.#resources.has(service) || this.#services.has(service);
  }

  resourcesOf(service: string): readonly ResourceForm[] {
    return this.#resources.get(service) ?? [];
  }

  /**
   * Whether a name, which may have wildcards, is that of an action of a service, or of several.
   * @param mayTake whether so many steps more may be taken; where they may not, every name is one
   */
  hasAction(prefix: string, name: string, mayTake: (steps: number) => boolean): boolean {
    const { folded: actions = [] } = this.#services.get(prefix.toLowerCase()) ?? {};
    const folded = name.toLowerCase();
    const wildcard = folded.search(/[*?]/);
    const start = wildcard === -1 ? folded : folded.slice(0, wildcard);
    const first = firstFrom(actions, start);
    if (wildcard === -1) return actions[first] === folded;
    const end = firstFrom(actions, `${start}\uffff`);
    if (!mayTake((end - first) * folded.length)) return true;
    const fits = compilePattern(folded, { wildcards: true, variables: false });
    return actions.slice(first, end).some((action) => fits(action, NO_KEYS) === true);
  }

  /** The actions that a pattern may stand for, in lower case with their prefix: all of its service's, or of all services. */
  *actionsOf(pattern: string): Generator<string> {
    const [prefix = ""] = pattern.toLowerCase().split(":", 1);
    for (const [name, { folded }] of this.#services)
      if (name === prefix || /[*?]/.test(prefix)) for (const action of folded) yield `${name}:${action}`;
  }

  /** An action's name that may have been meant. */
  actionLike(prefix: string, name: string): string | undefined {
    return closest(name, this.#services.get(prefix.toLowerCase())?.actions ?? []);
  }

  serviceLike(prefix: string): string | undefined {
    return closest(prefix, [...this.#services.keys()]);
  }

  /** Whether resource control policies may name the service. */
  takesResourceControl(prefix: string): boolean {
    return this.#resourceControl.has(prefix.toLowerCase());
  }

  keyFacts(key: string): KeyFacts {
    const folded = key.toLowerCase();
    const service = serviceOf(folded);
    const type =
      this.#keys.get(folded) ?? this.#wildKeys.get(service)?.find(({ fits }) => fits(folded))?.type;
    if (type !== undefined) return { kind: "known", type };
    if (service === "aws" || this.#services.has(service)) return { kind: "unknown key" };
    // Providers are named by host, and SAML's and Cognito's claims have prefixes that are no services.
    return /[./]/.test(service) || service === "saml" || service.startsWith("cognito-identity")
      ? { kind: "claim" }
      : { kind: "unknown service" };
  }

  /** Whether a key wants a tag's name after a slash, and stands there without it. */
  wantsTagKey(key: string): boolean {
    const folded = key.toLowerCase().replace(/\/$/, "");
    const wild = this.#wildKeys.get(serviceOf(folded)) ?? [];
    const isKey = this.#keys.has(folded) || wild.some(({ fits }) => fits(folded));
    return !isKey && wild.some(({ fits }) => fits(`${folded}/x`));
  }
}

function serviceOf(key: string): string {
  return key.slice(0, key.indexOf(":"));
}

/** Where a sorted list has its first entry that is not before `text`. */
function firstFrom(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

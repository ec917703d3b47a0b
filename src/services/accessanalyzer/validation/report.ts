import type { Location, ValidatePolicyFinding } from "@aws-sdk/client-accessanalyzer";
import type { Place } from "../document/place.ts";
import type { Positions } from "../document/positions.ts";
import type { Reference } from "../reference/reference.ts";
import { learnMoreLink, type Issue } from "./issue.ts";

/** What a check is given beside the policy: what AWS has, and where to tell of what it finds. */
export interface CheckContext {
  readonly reference: Reference;
  readonly report: (issue: Issue, ...places: readonly Place[]) => void;
  /**
   * Whether `steps` more of comparing may be done. Comparisons of everything with everything end here for documents
   * that were made to take long; the checks that want them then find nothing more.
   */
  readonly mayTake: (steps: number) => boolean;
}

/** The steps that one document may take: some hundred milliseconds. */
const MOST_STEPS = 1_500_000;

/** Far more than anybody reads; what comes after them is not told. */
const MOST_FINDINGS = 1000;

/** Places of one finding: a list of equal entries may have tens of thousands. */
const MOST_PLACES = 100;

/** Findings of one document, in the order in which they were reported. */
export class Findings implements CheckContext {
  readonly reference: Reference;
  readonly all: ValidatePolicyFinding[] = [];
  readonly #positions: Positions;
  #steps = 0;

  constructor(reference: Reference, positions: Positions) {
    this.reference = reference;
    this.#positions = positions;
  }

  readonly report = (issue: Issue, ...places: readonly Place[]): void => {
    if (this.all.length >= MOST_FINDINGS) return;
    this.all.push({
      ...issue,
      learnMoreLink: learnMoreLink(issue),
      locations: places.slice(0, MOST_PLACES).map((place) => this.#location(place)),
    });
  };

  readonly mayTake = (steps: number): boolean => {
    this.#steps += steps;
    return this.#steps <= MOST_STEPS;
  };

  #location({ node, path }: Place): Location {
    return { path: [...path], span: this.#positions.span(node) };
  }
}

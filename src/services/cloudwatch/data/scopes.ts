import type { DocumentKey, Documents } from "#storage/documents";
import type { Scope } from "./metric.ts";

const KIND = ["platform", "global", "cloudwatch-scope"] as const;

/** Accounts and regions that hold something of CloudWatch's: documents can only be listed of an account that one knows. */
export class Scopes {
  readonly #documents: Documents;
  readonly #noted = new Set<string>();

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  async note({ account, region }: Scope): Promise<void> {
    const name = `${account}/${region}`;
    if (this.#noted.has(name)) return;
    const key: DocumentKey = [...KIND, account, region];
    if (this.#documents.get(key) === undefined) await this.#documents.commit([{ key, value: true }]);
    this.#noted.add(name);
  }

  list(): readonly Scope[] {
    return Array.from(this.#documents.list(KIND), ({ key }) => ({
      account: String(key[3]),
      region: String(key[4]),
    }));
  }

  reset(): void {
    this.#noted.clear();
  }
}

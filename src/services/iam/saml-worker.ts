import { serveJobs } from "#core/worker-jobs";
import { readSamlMetadata, validityOf } from "./saml-metadata.ts";

serveJobs<string>((text) => ({ value: validityOf(readSamlMetadata(text)) }));

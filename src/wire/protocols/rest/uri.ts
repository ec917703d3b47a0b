/** One part of a path between slashes. */
export type UriSegment =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "label"; readonly name: string }
  /** Takes one segment or more, slashes included. At most one a template. */
  | { readonly kind: "greedy"; readonly name: string };

/** Smithy's URI template, such as `/2015-03-31/functions/{FunctionName}/policy?x-id=Policy`. */
export interface UriTemplate {
  readonly segments: readonly UriSegment[];
  /** Parameters that the query must have; an empty value asks only for the name. */
  readonly query: readonly (readonly [name: string, value: string])[];
}

export function parseUriTemplate(uri: string): UriTemplate {
  const [path = "", query = ""] = uri.split("?", 2);
  return {
    segments: splitPath(path).map(parseSegment),
    query: query === "" ? [] : query.split("&").map(parseParameter),
  };
}

/** The path between its slashes, the first one left out: `/a/b` is `["a", "b"]`, `/` is `[""]`. */
export function splitPath(path: string): string[] {
  return path.slice(1).split("/");
}

function parseSegment(text: string): UriSegment {
  if (!text.startsWith("{")) return { kind: "literal", text };
  const name = text.slice(1, -1);
  return name.endsWith("+") ? { kind: "greedy", name: name.slice(0, -1) } : { kind: "label", name };
}

function parseParameter(text: string): readonly [string, string] {
  const [name = "", value = ""] = text.split("=", 2);
  return [name, value];
}

/** Percent-decodes; `undefined` where an escape is broken or is not UTF-8. */
export function decodeUriPart(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The parameters of a query string in their order, decoded; a plus sign is a space. `undefined` where an escape is broken. */
export function parseQuery(query: string): [name: string, value: string][] | undefined {
  const parameters: [string, string][] = [];
  if (query === "") return parameters;
  for (const part of query.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decodeParameter(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? "" : decodeParameter(part.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    parameters.push([name, value]);
  }
  return parameters;
}

function decodeParameter(text: string): string | undefined {
  return decodeUriPart(text.includes("+") ? text.replaceAll("+", " ") : text);
}

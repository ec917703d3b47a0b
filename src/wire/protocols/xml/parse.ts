/**
 * A reader of the XML that AWS clients send: elements, attributes, text, CDATA, comments and character references, and
 * nothing else. Document types are refused outright, so that there are no entities to expand and nothing to fetch.
 * The parsers at hand skip or half-read them (`@aws-sdk/xml-builder` skips a DOCTYPE, closes unclosed elements and
 * takes an unknown entity as text), which is right for a client that reads AWS and wrong for a server.
 */
export interface XmlElement {
  /** The name without its namespace prefix: AWS matches local names. */
  readonly name: string;
  /** By name as written, prefix included (`xsi:type`), since schemas name them so. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All character data that stands directly in the element. */
  readonly text: string;
}

/** The document is not well-formed, does not fit its schema, or goes beyond what a client has reason to send. */
export class MalformedXml extends Error {
  constructor(problem: string) {
    super(problem);
    this.name = "MalformedXml";
  }
}

/** The deepest S3 document (a lifecycle or inventory configuration) has fewer than ten levels. */
const MAX_DEPTH = 64;
/** The largest honest document completes 10,000 parts with up to eight elements each (S3, CompleteMultipartUpload). */
const MAX_ELEMENTS = 200_000;

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();
const NO_CHILDREN: readonly XmlElement[] = [];

const NAME = /[\p{L}_:][\p{L}\p{N}\p{M}_:.\-\u00B7]*/uy;
const SPACE = /[ \t\n]*/y;
const DECLARATION = /<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*["']1\.[01]["'][^<>]*?\?>/y;
const ENCODING = /encoding[ \t\n]*=[ \t\n]*["']([^"']*)["']/;
// oxlint-disable-next-line no-control-regex -- these are the characters that XML 1.0, section 2.2, leaves out
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;
const REFERENCE = /&(?:#x([0-9A-Fa-f]{1,6});|#([0-9]{1,7});|(amp|lt|gt|quot|apos);)?/g;
const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Reads a whole document and returns its root element. Throws MalformedXml and nothing else; takes linear time. */
export function parseXml(bytes: Uint8Array): XmlElement {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new MalformedXml("not UTF-8");
  }
  return new Parser(text.replace(/\r\n?/g, "\n")).document();
}

class OpenElement {
  readonly qualifiedName: string;
  readonly attributes: ReadonlyMap<string, string>;
  children: XmlElement[] | undefined;
  text = "";

  constructor(qualifiedName: string, attributes: ReadonlyMap<string, string>) {
    this.qualifiedName = qualifiedName;
    this.attributes = attributes;
  }

  close(): XmlElement {
    return {
      name: this.qualifiedName.slice(this.qualifiedName.indexOf(":") + 1),
      attributes: this.attributes,
      children: this.children ?? NO_CHILDREN,
      text: this.text,
    };
  }
}

class Parser {
  readonly #text: string;
  #at = 0;
  #elements = 0;
  /** The elements whose end tag has not come yet, outermost first. A list, not recursion: depth costs no stack. */
  readonly #open: OpenElement[] = [];
  #root: XmlElement | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  document(): XmlElement {
    if (FORBIDDEN.test(this.#text)) this.#fail("a character that XML does not allow");
    this.#declaration();
    while (this.#at < this.#text.length) this.#next();
    if (this.#open.length > 0) this.#fail("the document ends inside an element");
    return this.#root ?? this.#fail("no root element");
  }

  #declaration(): void {
    if (!/^<\?xml[ \t\n]/.test(this.#text)) return;
    const declaration = this.#match(DECLARATION) ?? this.#fail("a broken XML declaration");
    const encoding = ENCODING.exec(declaration)?.[1];
    if (encoding !== undefined && !/^(utf-8|us-ascii)$/i.test(encoding))
      this.#fail("an encoding other than UTF-8");
  }

  /** Reads one piece of markup, or the text up to the next. */
  #next(): void {
    if (this.#text[this.#at] !== "<") this.#characters();
    else if (this.#take("</")) this.#endTag();
    else if (this.#take("<!--")) this.#comment();
    else if (this.#take("<![CDATA[")) this.#append(this.#until("]]>"));
    else if (this.#take("<?")) this.#instruction();
    else if (this.#take("<!")) this.#fail("document types are refused");
    else this.#startTag();
  }

  #characters(): void {
    const end = this.#text.indexOf("<", this.#at);
    const chunk = this.#text.slice(this.#at, end === -1 ? undefined : end);
    if (this.#open.length === 0) {
      if (chunk.trim() !== "") this.#fail("text outside the root element");
    } else {
      if (chunk.includes("]]>")) this.#fail("]]> in text");
      this.#append(this.#resolve(chunk));
    }
    this.#at += chunk.length;
  }

  #append(text: string): void {
    const element = this.#open.at(-1) ?? this.#fail("text outside the root element");
    element.text += text;
  }

  #comment(): void {
    if (this.#until("-->").includes("--")) this.#fail("-- in a comment");
  }

  #instruction(): void {
    const name = this.#match(NAME) ?? this.#fail("a processing instruction without a name");
    if (name.toLowerCase() === "xml") this.#fail("an XML declaration that is not at the start");
    this.#until("?>");
  }

  #startTag(): void {
    this.#at += 1;
    if (this.#root !== undefined) this.#fail("more than one root element");
    if (++this.#elements > MAX_ELEMENTS) this.#fail("too many elements");
    if (this.#open.length >= MAX_DEPTH) this.#fail("elements are nested too deeply");
    const name = this.#match(NAME) ?? this.#fail("an element without a name");
    const element = new OpenElement(name, this.#attributes());
    if (this.#take("/>")) this.#close(element);
    else if (this.#take(">")) this.#open.push(element);
    else this.#fail("a broken start tag");
  }

  #attributes(): ReadonlyMap<string, string> {
    let attributes: Map<string, string> | undefined;
    for (;;) {
      const spaced = this.#match(SPACE) !== "";
      const name = this.#match(NAME);
      if (name === undefined) return attributes ?? NO_ATTRIBUTES;
      if (!spaced) this.#fail("no space before an attribute");
      this.#match(SPACE);
      if (!this.#take("=")) this.#fail("an attribute without a value");
      this.#match(SPACE);
      const quote = this.#take('"') ? '"' : this.#take("'") ? "'" : this.#fail("an attribute without quotes");
      const value = this.#until(quote);
      if (value.includes("<")) this.#fail("< in an attribute");
      attributes ??= new Map();
      if (attributes.has(name)) this.#fail("an attribute that stands twice");
      attributes.set(name, this.#resolve(value));
    }
  }

  #endTag(): void {
    const name = this.#match(NAME);
    this.#match(SPACE);
    const element = this.#open.pop();
    if (element === undefined || element.qualifiedName !== name || !this.#take(">"))
      this.#fail("an end tag that matches no start tag");
    this.#close(element);
  }

  #close(element: OpenElement): void {
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element.close();
    else (parent.children ??= []).push(element.close());
  }

  /** Replaces character references and the five predefined entities; there are no others without a document type. */
  #resolve(text: string): string {
    if (!text.includes("&")) return text;
    return text.replace(REFERENCE, (_, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return NAMED[name] ?? "";
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      const scalar = code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff);
      const character = scalar ? String.fromCodePoint(code) : "";
      if (character === "" || FORBIDDEN.test(character)) this.#fail("a reference that XML does not allow");
      return character;
    });
  }

  /** Takes what the sticky `pattern` matches here. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  /** Takes everything up to `end` and `end` itself; returns what stood before it. */
  #until(end: string): string {
    const index = this.#text.indexOf(end, this.#at);
    if (index === -1) this.#fail(`no ${end}`);
    const taken = this.#text.slice(this.#at, index);
    this.#at = index + end.length;
    return taken;
  }

  #fail(problem: string): never {
    throw new MalformedXml(`${problem} (near character ${this.#at})`);
  }
}

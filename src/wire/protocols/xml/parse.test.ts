import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MalformedXml, parseXml } from "./parse.ts";
import { escapeXml } from "./write.ts";

const parse = (text: string) => parseXml(Buffer.from(text));

describe("parseXml", () => {
  test("reads elements, attributes, text and CDATA, by local name", () => {
    const root = parse(
      '<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- a --><s3:Delete xmlns:s3="u"><s3:Key a:b=\'1 &lt; 2\'>x&amp;y<![CDATA[<z>]]></s3:Key><Empty/></s3:Delete>\n',
    );
    expect(root.name).toBe("Delete");
    expect(root.children.map(({ name, text }) => [name, text])).toEqual([
      ["Key", "x&y<z>"],
      ["Empty", ""],
    ]);
    expect(root.children[0]?.attributes.get("a:b")).toBe("1 < 2");
  });

  test("reads character references and normalises line ends", () => {
    expect(parse("<a>&#65;&#x1F600;&#x0D;\r\nb</a>").text).toBe("A\u{1F600}\r\nb");
  });

  test("takes a byte order mark and ASCII", () => {
    expect(parse('\uFEFF<?xml version="1.0" encoding="us-ascii"?><a/>').name).toBe("a");
  });

  test.each([
    ["nothing", ""],
    ["white space", " \n"],
    ["text", "hello"],
    ["text before the root", "x<a/>"],
    ["text after the root", "<a/>x"],
    ["a second root", "<a/><b/>"],
    ["a truncated tag", "<a"],
    ["a truncated document", "<a><b></b>"],
    ["a wrong end tag", "<a></b>"],
    ["an end tag alone", "</a>"],
    ["crossed elements", "<a><b></a></b>"],
    ["an unquoted attribute", "<a b=c/>"],
    ["an attribute without value", "<a b/>"],
    ["attributes without space", '<a b="1"c="2"/>'],
    ["a doubled attribute", '<a b="1" b="2"/>'],
    ["< in an attribute", '<a b="<"/>'],
    ["a bare ampersand", "<a>x & y</a>"],
    ["an unknown entity", "<a>&nbsp;</a>"],
    ["a reference to zero", "<a>&#0;</a>"],
    ["a reference to a surrogate", "<a>&#xD800;</a>"],
    ["a reference beyond Unicode", "<a>&#x110000;</a>"],
    ["a control character", "<a>\u0001</a>"],
    ["]]> in text", "<a>]]></a>"],
    ["an open comment", "<a><!-- </a>"],
    ["a comment with --", "<a><!-- -- --></a>"],
    ["a late declaration", '<a/><?xml version="1.0"?>'],
    ["another encoding", '<?xml version="1.0" encoding="UTF-16"?><a/>'],
    ["a document type", "<!DOCTYPE a><a/>"],
    ["an external entity", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ["an entity bomb", '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>'],
    ["a lower-case document type inside", "<a><!doctype b></a>"],
    ["deep nesting", "<a>".repeat(100_000)],
    ["deep nesting, closed", `${"<a>".repeat(65)}${"</a>".repeat(65)}`],
    ["too many elements", `<a>${"<b/>".repeat(200_000)}</a>`],
  ])("refuses %s", (_, text) => {
    expect(() => parse(text)).toThrow(MalformedXml);
  });

  test("refuses bad UTF-8 and UTF-16", () => {
    expect(() => parseXml(Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e))).toThrow(
      MalformedXml,
    );
    expect(() => parseXml(Buffer.from("\uFEFF<a/>", "utf16le"))).toThrow(MalformedXml);
  });

  test("takes time in proportion to its input", () => {
    // Each of these is quadratic or worse in a parser that looks back or rescans; 1 MB of it would take minutes.
    const size = 1_000_000;
    for (const piece of ["&", "<!--", "]]", " ", 'a="', "<![CDATA[", "&#", "<a ", "-"])
      expect(() => parse(`<a>${piece.repeat(size / piece.length)}`)).toThrow(MalformedXml);
  });

  test("never throws anything else, whatever comes", () => {
    const markup = fc.array(
      fc.constantFrom(
        "<",
        ">",
        "/",
        "a",
        "b:c",
        "=",
        '"',
        "'",
        "&",
        ";",
        "#x",
        "41",
        "!",
        "--",
        "[CDATA[",
        "]]>",
        "?",
        "xml",
        " ",
        "\u00E9",
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          markup.map((parts) => Buffer.from(parts.join(""))),
        ),
        (bytes) => {
          try {
            expect(parseXml(bytes).name).toMatch(/./);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedXml);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("reads back any text that the writer escapes", () => {
    // oxlint-disable-next-line no-control-regex -- what XML cannot say at all
    const sayable = /^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]*$/;
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }).filter((text) => sayable.test(text)),
        (text) => {
          const root = parse(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`);
          expect(root.text).toBe(text);
          expect(root.attributes.get("b")).toBe(text);
        },
      ),
    );
  });
});

import { GLYPH_HEIGHT, GLYPH_WIDTH, pixelOf } from "./font.ts";

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

const ADVANCE = GLYPH_WIDTH + 1;

/** Pixels that lines, areas and text are drawn on; what lies outside is left out. */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;

  constructor(width: number, height: number, background: Colour) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 3);
    for (let at = 0; at < this.pixels.length; at += 3) this.pixels.set(background, at);
  }

  /** @param cover how much of the pixel is covered, 0 to 1 */
  blend(x: number, y: number, colour: Colour, cover = 1): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height || cover <= 0) return;
    const at = (y * this.width + x) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const below = this.pixels[at + channel] ?? 0;
      this.pixels[at + channel] = Math.round(below + ((colour[channel] ?? 0) - below) * Math.min(1, cover));
    }
  }

  rectangle(x: number, y: number, width: number, height: number, colour: Colour, cover = 1): void {
    for (let row = Math.max(0, y); row < Math.min(this.height, y + height); row++)
      for (let column = Math.max(0, x); column < Math.min(this.width, x + width); column++)
        this.blend(column, row, colour, cover);
  }

  /** A straight line, smooth at its edges: a pixel is covered by how near its centre is to the line. */
  line(x1: number, y1: number, x2: number, y2: number, colour: Colour, thickness = 1.6): void {
    const [dx, dy] = [x2 - x1, y2 - y1];
    const length = Math.hypot(dx, dy);
    const reach = thickness / 2 + 1;
    const [left, right] = [Math.floor(Math.min(x1, x2) - reach), Math.ceil(Math.max(x1, x2) + reach)];
    for (let x = Math.max(0, left); x <= Math.min(this.width - 1, right); x++) {
      // Only the rows near the line at this column: a long steep line would else visit its whole rectangle.
      const [low, high] = rowsAt(x, x1, y1, x2, y2, reach);
      for (let y = Math.max(0, low); y <= Math.min(this.height - 1, high); y++) {
        const along =
          length === 0 ? 0 : Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / length ** 2));
        const distance = Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
        this.blend(x, y, colour, thickness / 2 + 0.5 - distance);
      }
    }
  }

  /** @param x the left end of the text */
  text(x: number, y: number, text: string, colour: Colour): void {
    for (const [index, character] of Array.from(text).entries())
      for (let row = 0; row < GLYPH_HEIGHT; row++)
        for (let column = 0; column < GLYPH_WIDTH; column++)
          if (pixelOf(character, column, row)) this.blend(x + index * ADVANCE + column, y + row, colour);
  }
}

/** Pixels that a text is wide. */
export function textWidth(text: string): number {
  return Math.max(0, Array.from(text).length * ADVANCE - 1);
}

/** The part of a text that fits, with dots where it does not. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const room = Math.floor((width + 1) / ADVANCE) - 2;
  return room <= 0 ? "" : `${Array.from(text).slice(0, room).join("")}..`;
}

function rowsAt(
  x: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  reach: number,
): readonly [number, number] {
  const steep = Math.abs(x2 - x1) < 1e-9;
  const at = (column: number): number => {
    const along = Math.max(0, Math.min(1, (column - x1) / (x2 - x1)));
    return y1 + along * (y2 - y1);
  };
  const [a, b] = steep ? [y1, y2] : [at(x - reach), at(x + reach)];
  return [Math.floor(Math.min(a, b) - reach), Math.ceil(Math.max(a, b) + reach)];
}

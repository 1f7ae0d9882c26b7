/** Draws the app's icons as PNG from the shapes of favicon.svg, so that no picture is kept. */

import { crc32, deflateSync } from "node:zlib";
import type { Plugin } from "vite";

type Colour = readonly [red: number, green: number, blue: number];
type Shape = { x: number; y: number; width: number; height: number; colour: Colour };

/** The side of favicon.svg's grid, and its corner. */
const GRID = 32;
const CORNER = 7;
/** What of a maskable icon no device cuts off: a circle of 80 % of the side. */
const SAFE = 0.72;
const GROUND: Colour = [0x12, 0x20, 0x2f];
const SKY: Colour = [0x5a, 0xa9, 0xe6];
const PALE: Colour = [0xe8, 0xee, 0xf5];
const WICK: Colour = [0x7f, 0xb8, 0xea];
const candle = (
  x: number,
  top: number,
  bottom: number,
  y: number,
  height: number,
  colour: Colour,
) => [
  { x: x - 0.8, y: top, width: 1.6, height: bottom - top, colour: WICK },
  { x: x - 2, y, width: 4, height, colour },
];
const SHAPES: readonly Shape[] = [
  ...candle(8, 8, 24, 11, 10, SKY),
  ...candle(16, 6, 21, 9, 9, PALE),
  ...candle(24, 11, 26, 14, 9, SKY),
];

const isOutside = (x: number, y: number): boolean => {
  const dx = Math.max(CORNER - x, x - (GRID - CORNER), 0);
  const dy = Math.max(CORNER - y, y - (GRID - CORNER), 0);
  return dx * dx + dy * dy > CORNER * CORNER;
};

/** The colour at a place of the grid; null where the icon is transparent. */
function colourAt(x: number, y: number, isMaskable: boolean): Colour | null {
  if (!isMaskable && isOutside(x, y)) return null;
  const scale = isMaskable ? SAFE : 1;
  const [u, v] = [(x - GRID / 2) / scale + GRID / 2, (y - GRID / 2) / scale + GRID / 2];
  const hit = SHAPES.findLast(
    (one) => u >= one.x && u < one.x + one.width && v >= one.y && v < one.y + one.height,
  );
  return hit?.colour ?? GROUND;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A square PNG with transparency, 8 bits a channel. */
export function icon(side: number, isMaskable: boolean): Buffer {
  const rows = Buffer.alloc(side * (1 + side * 4));
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const place = [column, row].map((at) => ((at + 0.5) / side) * GRID) as [number, number];
      const colour = colourAt(...place, isMaskable);
      if (colour) rows.set([...colour, 255], row * (1 + side * 4) + 1 + column * 4);
    }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(side, 0);
  head.writeUInt32BE(side, 4);
  head.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

export function icons(): Plugin {
  return {
    name: "plan2-icons",
    apply: "build",
    generateBundle() {
      const emit = (fileName: string, source: Buffer) =>
        this.emitFile({ type: "asset", fileName, source });
      emit("icon-192.png", icon(192, false));
      emit("icon-512.png", icon(512, false));
      emit("icon-maskable-512.png", icon(512, true));
    },
  };
}

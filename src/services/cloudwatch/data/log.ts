import { type Packer, Unpacker } from "#telemetry/packed";
import type { SeriesPoints } from "./generation.ts";
import { MINUTE, SECOND } from "./layers.ts";
import { readPoints, writePoints } from "./packing.ts";

/** Points are logged before they are worked into chunks; a record holds those of some series. */
export function writeLogRecord(packer: Packer, id: string, { minutes, seconds }: SeriesPoints): void {
  packer.text(id);
  packer.whole(minutes.size);
  writePoints(packer, minutes, MINUTE);
  packer.whole(seconds.size);
  writePoints(packer, seconds, SECOND);
}

export function* readLogRecord(body: Uint8Array): Generator<{ readonly id: string } & SeriesPoints> {
  const unpacker = new Unpacker(Buffer.from(body));
  while (!unpacker.done) {
    const id = unpacker.text();
    const minutes = readPoints(unpacker, unpacker.whole(), MINUTE);
    const seconds = readPoints(unpacker, unpacker.whole(), SECOND);
    yield { id, minutes, seconds };
  }
}

/** Writes .br and .gz beside every text asset, so that the server never compresses. */

import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(js|css|html|svg|txt|webmanifest)$/;
const MIN_BYTES = 1024;
/** Byte of the gzip header that names the operating system; 255 = unknown, so all builds agree. */
const GZIP_OS_BYTE = 9;

function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .toSorted()
    .flatMap((name) => {
      const file = path.join(folder, name);
      return statSync(file).isDirectory() ? filesIn(file) : [file];
    });
}

export function compressed(): Plugin {
  let folder = "";
  return {
    name: "plan2-compressed",
    apply: "build",
    configResolved(config) {
      folder = path.resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const file of filesIn(folder).filter((name) => TEXT.test(name))) {
        const bytes = readFileSync(file);
        if (bytes.length < MIN_BYTES) continue;
        const zipped = gzipSync(bytes, { level: 9 });
        zipped[GZIP_OS_BYTE] = 255;
        writeFileSync(`${file}.gz`, zipped);
        writeFileSync(
          `${file}.br`,
          brotliCompressSync(bytes, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: 11,
              [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
            },
          }),
        );
      }
    },
  };
}

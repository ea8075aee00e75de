// Writes FILE.br and FILE.gz beside each file of a folder that gets smaller by it, and prints each file's weight.
// Usage: node compress.mjs FOLDER best|quick
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder, effort] = process.argv.slice(2);
const best = effort === "best";

const brotli = (content) =>
  brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: best ? 11 : 5,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
const gzip = (content) => gzipSync(content, { level: best ? 9 : 6 });

const sizes = readdirSync(folder)
  .sort()
  .map((file) => {
    const content = readFileSync(join(folder, file));
    const weigh = (extension, packed) => {
      if (packed.length >= content.length * 0.98) return content.length;
      writeFileSync(join(folder, file + extension), packed);
      return packed.length;
    };
    return { file, raw: content.length, gzip: weigh(".gz", gzip(content)), brotli: weigh(".br", brotli(content)) };
  });
console.log(JSON.stringify(sizes));

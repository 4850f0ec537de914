// sharp as an encoder: takes jobs as lines of words parted by tabs, answers each with one line.
// `encode KIND FROM TO WIDTH HEIGHT CHANNELS QUALITY COUNT` encodes raw samples COUNT times, as a JPEG by mozjpeg
// or as a PNG of a palette, and answers with the CPU time of one in milliseconds.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// Modules are looked for from the working folder: this file is not copied into the set-up.
const sharp = createRequire(`${process.cwd()}/`)("sharp");

sharp.concurrency(1);
sharp.cache(false);

const KINDS = {
  mozjpeg: (image, quality) => image.jpeg({ quality, chromaSubsampling: "4:2:0", mozjpeg: true }),
  palette: (image, quality) => image.png({ palette: true, quality }),
};

async function encode(kind, from, to, ...numbers) {
  const [width, height, channels, quality, count] = numbers.map(Number);
  const samples = readFileSync(from);
  const before = process.resourceUsage();
  let file;
  for (let i = 0; i < count; i += 1) {
    file = await KINDS[kind](sharp(samples, { raw: { width, height, channels } }), quality).toBuffer();
  }
  const after = process.resourceUsage();
  writeFileSync(to, file);
  const micros = after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime;
  return [micros / 1000 / count];
}

async function answer([verb, ...words]) {
  if (verb === "encode") return encode(...words);
  if (verb === "version") return [`sharp ${sharp.versions.sharp}, mozjpeg ${sharp.versions.mozjpeg}`];
  throw new Error(`what is ${verb}?`);
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log((await answer(line.split("\t"))).join("\t"));
}

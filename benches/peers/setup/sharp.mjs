// sharp (libvips) as a peer: takes jobs as lines of words parted by tabs, answers each with one line.
// What the lines are is told in ../src/child.rs. Argument: "cascade" (decodes once, 600 → 300 → 100) or
// "pipelines" (one pipeline a thumbnail, as most people write it).

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// Modules are looked for from the working folder: this file is not copied into the set-up.
const sharp = createRequire(`${process.cwd()}/`)("sharp");

sharp.concurrency(1);
sharp.cache(false);

const SIDES = [600, 300, 100];
const way = process.argv[2];

function encoded(pipeline, isPng) {
  return isPng ? pipeline.png() : pipeline.jpeg({ quality: 80, chromaSubsampling: "4:2:0", optimiseCoding: false });
}

function fitted(pipeline, side) {
  return pipeline.resize(side, side, { fit: "inside", withoutEnlargement: true });
}

async function cascade(bytes, isPng) {
  const files = [];
  let from = sharp(bytes).rotate();
  for (const side of SIDES) {
    const { data, info } = await fitted(from, side).raw().toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: info.channels };
    files.push(await encoded(sharp(data, { raw }), isPng).toBuffer());
    from = sharp(data, { raw });
  }
  return files;
}

async function pipelines(bytes, isPng) {
  const files = [];
  for (const side of SIDES) {
    files.push(await encoded(fitted(sharp(bytes).rotate(), side), isPng).toBuffer());
  }
  return files;
}

const make = way === "pipelines" ? pipelines : cascade;

async function job(path, count) {
  const bytes = readFileSync(path);
  const isPng = path.endsWith(".png");
  const before = process.resourceUsage();
  let files;
  for (let i = 0; i < count; i += 1) files = await make(bytes, isPng);
  const after = process.resourceUsage();
  const micros =
    after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime;
  const faults = after.minorPageFault - before.minorPageFault;
  return [micros / 1000 / count, faults / count, ...files.map((file) => file.length)];
}

// Raw samples of a picture, or of one thumbnail before it is encoded, behind a line of its geometry.
async function raw(path, side, out) {
  let from = sharp(path).rotate();
  if (side > 0) {
    for (const each of SIDES.filter((each) => each >= side)) {
      const { data, info } = await fitted(from, each).raw().toBuffer({ resolveWithObject: true });
      from = sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
    }
  }
  const { data, info } = await from.raw().toBuffer({ resolveWithObject: true });
  writeFileSync(out, data);
  return [info.width, info.height, info.channels];
}

async function keep(path, folder) {
  const isPng = path.endsWith(".png");
  const files = await make(readFileSync(path), isPng);
  files.forEach((file, i) => writeFileSync(`${folder}/${SIDES[i]}`, file));
  return [];
}

async function answer([verb, ...words]) {
  if (verb === "job") return job(words[0], Number(words[1]));
  if (verb === "raw") return raw(words[0], Number(words[1]), words[2]);
  if (verb === "keep") return keep(words[0], words[1]);
  if (verb === "version") return [`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, Node.js ${process.versions.node}`];
  throw new Error(`what is ${verb}?`);
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log((await answer(line.split("\t"))).join("\t"));
}

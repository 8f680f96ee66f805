// Bundle src/ and what it imports into scatter.js, and gather the licence of every package that went in.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const own = readdirSync('src').sort().map((name) => `src/${name}`);
const digest = createHash('sha256');
for (const name of ['package.json', 'package-lock.json', 'build.mjs', ...own]) digest.update(name).update('\0').update(readFileSync(name)).update('\0');

await build({
  entryPoints: ['src/index.js'],
  outfile: 'scatter.js',
  bundle: true,
  minify: true,
  format: 'esm', // one default export: what Streamlit imports
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none', // the licences stand in full in LICENCES.txt
  loader: { '.css': 'text' },
  banner: { js: `/* Built by build.mjs from sources ${digest.digest('hex')}; licences: LICENCES.txt. */` },
});

// regl-scatterplot's own file holds its dependencies already, and copies of kdbush and simplify-js
const { packages } = JSON.parse(readFileSync('package-lock.json'));
const bundled = Object.keys(packages).filter((path) => path && !packages[path].dev);
const texts = [...bundled, 'node_modules/kdbush', 'node_modules/simplify-js'].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json')));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence text: do not bundle it.`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
});
writeFileSync('LICENCES.txt', `scatter.js holds these packages.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`);

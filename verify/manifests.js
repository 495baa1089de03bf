/**
 * Manifests of the daily archive: each says which rows a day has, in which objects, and names the manifest before it.
 */
import { needed, parseManifest } from './bundle.js';
import { sha256 } from './merkle.js';
import { parseNote } from './note.js';

/**
 * @typedef {import('./bundle.js').Manifest} Manifest
 * @typedef {import('./judgement.js').Judgement} Judgement
 * @typedef {import('./row.js').Row} Row
 */

/**
 * The manifests of the days that the rows lie in: signed, and each naming the one of the day before.
 *
 * @param {ReadonlyMap<string, Buffer>} files
 * @param {{origin: string, workspaceId: string}} log
 * @param {Judgement} judgement
 * @returns {Map<string, Manifest>} by day
 */
export function readManifests(files, { origin, workspaceId }, judgement) {
  /** @type {Map<string, Manifest>} */
  const manifests = new Map();
  const names = [...files.keys()].filter((name) => /^manifests\/.{10}\.json$/.test(name)).sort();
  for (const name of names) {
    const day = name.slice(10, 20);
    const bytes = needed(files, name);
    const previous = files.get(`manifests/${dayBefore(day)}.json`);
    const fault = manifestFormFault(
      bytes,
      needed(files, `manifests/${day}.note`),
      { origin, workspaceId, day },
      judgement,
    );
    const manifest = parseManifest(bytes, name);
    if (fault !== undefined) judgement.found.add('manifest_mismatch', `${name}: ${fault}`);
    else if (previous !== undefined && manifest.previous !== sha256(previous).toString('hex'))
      judgement.found.add('manifest_mismatch', `${name}: It does not name the manifest of the day before.`);
    else {
      manifests.set(day, manifest);
      judgement.count('manifests');
    }
  }
  return manifests;
}

/**
 * Why a manifest is not the signed one of its day; nothing if it is.
 *
 * @param {Buffer} bytes
 * @param {Buffer} noteBytes
 * @param {{origin: string, workspaceId: string, day: string}} expected
 * @param {Judgement} judgement
 */
export function manifestFormFault(bytes, noteBytes, { origin, workspaceId, day }, judgement) {
  const note = parseNote(noteBytes);
  const { ws, day: ownDay, lanes, parts } = parseManifest(bytes, `The manifest of ${day}`);
  if (note.text !== `${origin}/archive\n${day}\n${sha256(bytes).toString('base64')}\n`)
    return 'Its note is not of these bytes.';
  if (ws !== workspaceId || ownDay !== day) return 'It is of another workspace or day.';
  for (const { lane, first, last } of lanes) {
    let next = first;
    for (const part of parts.filter((candidate) => candidate.lane === lane)) {
      if (part.first !== next || part.last < next || part.rows !== part.last - next + 1)
        return 'Its parts do not fit.';
      next = part.last + 1;
    }
    if (next !== last + 1) return `Its parts do not hold just the rows of lane ${lane}.`;
  }
  return judgement.signatureFault(note, origin);
}

/** @param {string} day */
export function dayBefore(day) {
  const time = Date.parse(`${day}T00:00:00.000Z`);
  return Number.isNaN(time) ? '' : new Date(time - 86_400_000).toISOString().slice(0, 10);
}

/**
 * What the manifest of its day says of a row, and does not fit.
 *
 * @param {Row} row
 * @param {string} hash
 * @param {ReadonlyMap<string, Manifest>} manifests by day
 */
export function manifestFault({ lane, seq, ts, prev }, hash, manifests) {
  const day = ts.slice(0, 10);
  const manifest = manifests.get(day);
  if (manifest === undefined) return undefined;
  const held = manifest.lanes.find((entry) => entry.lane === lane && entry.first <= seq && seq <= entry.last);
  if (held === undefined) return `The manifest of ${day} does not hold the row.`;
  if (seq === held.first && prev !== held.firstPrev) return `The manifest of ${day} follows another row.`;
  const isLast = hash === held.lastHash && ts === held.lastTs;
  return seq === held.last && !isLast ? `The manifest of ${day} ends with another row.` : undefined;
}

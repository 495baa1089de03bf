import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RequestContext } from '../../core/access/principal.ts';
import { laneOpened, systemOrigin } from '../../core/audit/lane-start.ts';
import { collectEvidence, type EvidenceQuery } from '../../core/evidence/collect-evidence.ts';
import { rowEvidence } from '../../core/evidence/prove-inclusion.ts';
import { zip } from '../../core/evidence/zip.ts';
import { formatVerifierKey, verifierKey } from '../../core/transparency/signed-note.ts';
import { unzip } from '../../verify/bundle.js';
import { verifyArchive } from '../../verify/folder.js';
import { verifyEvidence, verifyProof } from '../../verify/verify.js';
import { ArchivedLog } from '../support/archived-log.ts';

/** What the vault's own sealer, archiver and exporter make must be valid for a verifier that shares no code with them. */

const log = new ArchivedLog();
let key = '';

beforeAll(async () => {
  await log.begin();
  await log.day(30, 4);
  await log.day(0);
  await log.commit(systemOrigin(log.workspaceId), [laneOpened(log.workspaceId, 2)]);
  await log.day(250, 20);
  await log.day(5, 1);
  await log.run();
  const [current] = await log.parts.signer.publicKeys();
  if (current === undefined) throw new Error('There is no signing key.');
  key = formatVerifierKey(verifierKey(`lockzero.test/${log.workspaceId}`, current.publicKey));
});

const context: RequestContext = {
  principal: {
    type: 'api_key',
    workspaceId: log.workspaceId,
    id: 'key_1',
    role: 'owner',
    namespaces: ['*'],
  },
  ip: '203.0.113.7',
  userAgent: 'curl',
};

const parts = { ...log.parts, log: log.parts };

function evidence(query: EvidenceQuery) {
  return collectEvidence(parts, context, query).then(({ files }) => unzip(Buffer.from(zip(files))));
}

test('a bundle of everything', async () => {
  const { verdict, problems, remarks, counts } = verifyEvidence(await evidence({ filter: {} }), {
    keys: [key],
  });
  expect({ verdict, problems, remarks }).toEqual({ verdict: 'valid', problems: [], remarks: [] });
  expect(counts).toMatchObject({ withheld: 0, lanes: 2, manifests: 3 });
});

test.each(['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'])('a bundle of %s', async (day) => {
  const from = Date.parse(`${day}T00:00:00.000Z`);
  const files = await evidence({ filter: {}, from, to: from + 86_400_000 });
  expect(verifyEvidence(files, { keys: [key] })).toMatchObject({ verdict: 'valid', problems: [] });
});

test('a filtered bundle', async () => {
  const files = await evidence({ filter: { action: 'authentication.failed' } });
  expect(verifyEvidence(files, { keys: [key] })).toMatchObject({
    verdict: 'valid',
    problems: [],
    counts: { rows: 25 },
  });
});

test('the evidence for one row', async () => {
  const proof = Buffer.from(await rowEvidence(parts, context, { lane: 1, seq: 7 }));
  expect(verifyProof(proof, { keys: [key] })).toMatchObject({ verdict: 'valid', row: { lane: 1, seq: 7 } });
});

test('the archive', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lockzero-verify-'));
  for (const name of log.archive.versions.keys()) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), log.archive.current(name)?.bytes ?? '');
  }
  const { verdict, problems, remarks, counts } = verifyArchive(folder, { keys: [key] });
  rmSync(folder, { recursive: true });
  expect({ verdict, problems, remarks }).toEqual({ verdict: 'valid', problems: [], remarks: [] });
  expect(counts).toMatchObject({ logs: 1, days: 4 });
  expect(counts['archivedRows']).toBe(counts['rows']);
});

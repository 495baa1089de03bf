import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { openCheckpoint } from '../../../core/transparency/checkpoint.ts';
import { hashFromBase64 } from '../../../core/transparency/merkle.ts';
import { verifyConsistency, verifyInclusion } from '../../../core/transparency/proofs.ts';
import { parseVerifierKey } from '../../../core/transparency/signed-note.ts';
import { unzip } from '../../../verify/bundle.js';
import { verifyEvidence, verifyProof } from '../../../verify/verify.js';
import { apiWorld } from '../../support/api-world.ts';
import { callApi } from '../../support/call-api.ts';
import { sealLog } from '../../support/seal-log.ts';

/** A workspace with some history, sealed as often as asked, and an auditor who asks for evidence. */
async function audited() {
  const world = await apiWorld();
  const { vault, workspaceId, ownerToken } = world;
  const get = (path: string, query: Record<string, string> = {}) =>
    callApi(vault, { method: 'GET', path, query, token: ownerToken });
  const json = async <T>(path: string, query: Record<string, string> = {}) => {
    const { status, json: body } = await get(path, query);
    expect(status).toBe(200);
    return body as T;
  };
  const key = async () =>
    (await json<{ verifierKey: string; checkpoint: string }>('/audit/checkpoint')).verifierKey;
  return { ...world, get, json, key, seal: () => sealLog(vault, workspaceId) };
}

interface Inclusion {
  leafIndex: number;
  leafHash: string;
  hashes: string[];
  checkpoint: string;
}

describe('proofs', () => {
  it('every event is proven to be in the tree of the signed checkpoint', async () => {
    const auditor = await audited();
    await auditor.secret();
    await auditor.seal();
    const key = parseVerifierKey(await auditor.key());
    const { items } = await auditor.json<{ items: { id: string; hash: string }[] }>('/audit', {
      limit: '100',
    });
    const sealed = items.slice(1);
    expect(sealed.length).toBeGreaterThan(5);
    for (const { id, hash } of sealed) {
      const proof = await auditor.json<Inclusion>('/audit/proof/inclusion', { eventId: id });
      const checkpoint = openCheckpoint(proof.checkpoint, key.name, [key]);
      const leaf = hashFromBase64(proof.leafHash);
      expect(Buffer.from(leaf).toString('hex')).toBe(hash);
      const hashes = proof.hashes.map(hashFromBase64);
      expect(() =>
        verifyInclusion(leaf, proof.leafIndex, checkpoint.size, hashes, checkpoint.root),
      ).not.toThrow();
    }
  });

  it('the log is proven to have only grown since an earlier checkpoint', async () => {
    const auditor = await audited();
    await auditor.seal();
    const kept = await auditor.json<{ checkpoint: string; verifierKey: string }>('/audit/checkpoint');
    await auditor.secret();
    await auditor.seal();
    const newest = await auditor.json<{ checkpoint: string; verifierKey: string }>('/audit/checkpoint');
    const key = parseVerifierKey(newest.verifierKey);
    const [from, to] = [kept, newest].map(({ checkpoint }) => openCheckpoint(checkpoint, key.name, [key]));
    if (from === undefined || to === undefined) throw new Error('There are two checkpoints.');
    expect(to.size).toBeGreaterThan(from.size);
    const proof = await auditor.json<{ from: number; to: number; hashes: string[] }>(
      '/audit/proof/consistency',
      { from: String(from.size) },
    );
    expect(proof).toMatchObject({ from: from.size, to: to.size });
    const hashes = proof.hashes.map(hashFromBase64);
    expect(() => verifyConsistency(from.size, from.root, to.size, to.root, hashes)).not.toThrow();
    expect((await auditor.get('/audit/proof/consistency', { from: '9', to: '3' })).status).toBe(400);
    expect((await auditor.get('/audit/proof/consistency', { from: '1', to: '9999' })).status).toBe(400);
  });

  it('what is not sealed yet is told so, and what is not there is not found', async () => {
    const auditor = await audited();
    const early = await auditor.get('/audit/checkpoint');
    expect(early).toMatchObject({ status: 409, headers: { 'Retry-After': '60' } });
    expect(JSON.parse(early.text ?? '')).toMatchObject({ code: 'not_sealed' });
    await auditor.seal();
    await auditor.secret();
    const { items } = await auditor.json<{ items: { id: string }[] }>('/audit', { limit: '1' });
    const fresh = await auditor.get('/audit/proof/inclusion', { eventId: items[0]?.id ?? '' });
    expect(fresh.status).toBe(409);
    for (const eventId of ['0-99999', '7-1', 'nonsense', '0-0']) {
      expect((await auditor.get('/audit/proof/inclusion', { eventId })).status).toBe(404);
    }
  });

  it('a row that was changed after it was sealed is proven as it was sealed, and the log says so', async () => {
    const auditor = await audited();
    await auditor.seal();
    const before = await auditor.json<Inclusion>('/audit/proof/inclusion', { eventId: '0-3' });
    const { tables } = auditor.vault;
    const [key, row] =
      [...tables.rows].find(
        ([, { lane, seq, workspaceId }]) => workspaceId === auditor.workspaceId && lane === 0 && seq === 3,
      ) ?? [];
    if (key === undefined || row === undefined) throw new Error('There is a third row.');
    tables.rows.set(key, { ...row, bytes: Buffer.from(row.bytes).fill(0x20, 0, 1) });
    expect(await auditor.json<Inclusion>('/audit/proof/inclusion', { eventId: '0-3' })).toEqual(before);
    const { items } = await auditor.json<{ items: { result: string; detail: object }[] }>('/audit', {
      limit: '1',
    });
    expect(items[0]).toMatchObject({ result: 'failure', detail: { reason: 'changed_since_sealed' } });
  });

  it('a row whose place in the tree was spoiled is never taken for another one', async () => {
    const auditor = await audited();
    await auditor.seal();
    const segments = auditor.vault.log.seals.leaves.get(`${auditor.workspaceId}#0`);
    for (const [last, segment] of segments ?? []) {
      segments?.set(last, { ...segment, firstLeaf: segment.firstLeaf + 1 });
    }
    expect((await auditor.get('/audit/proof/inclusion', { eventId: '0-2' })).status).toBe(500);
  });
});

describe('evidence', () => {
  const bundle = async (auditor: Awaited<ReturnType<typeof audited>>, query: Record<string, string> = {}) => {
    const answer = await auditor.get('/audit/evidence', query);
    expect(answer).toMatchObject({ status: 200, headers: { 'Content-Type': 'application/zip' } });
    return unzip(Buffer.from(answer.bytes ?? []));
  };

  it('a bundle of everything is valid for whoever has the key, and only self-consistent without it', async () => {
    const auditor = await audited();
    await auditor.seal();
    await auditor.secret();
    await auditor.seal();
    const files = await bundle(auditor);
    const key = await auditor.key();
    expect(verifyEvidence(files, { keys: [key] })).toMatchObject({ verdict: 'valid', problems: [] });
    expect(verifyEvidence(files).verdict).toBe('self-consistent but unsigned');
    expect([...files.keys()].filter((name) => name.startsWith('seals/')).length).toBeGreaterThan(1);
  });

  it('a bundle of a span of time shows that no lane was cut short', async () => {
    const auditor = await audited();
    const start = auditor.vault.clock.now();
    auditor.vault.clock.advance(3_600_000);
    await auditor.secret();
    auditor.vault.clock.advance(3_600_000);
    await auditor.secret();
    await auditor.seal();
    const iso = (time: number) => new Date(time).toISOString();
    const files = await bundle(auditor, { from: iso(start + 1_800_000), to: iso(start + 5_400_000) });
    const names = [...files.keys()];
    expect(names).toContain('neighbours/0-before.tlog-proof');
    expect(names).toContain('neighbours/0-after.tlog-proof');
    expect(verifyEvidence(files, { keys: [await auditor.key()] })).toMatchObject({
      verdict: 'valid',
      problems: [],
    });
  });

  it('evidence comes from the sealed log, also of rows that the table no longer has', async () => {
    const auditor = await audited();
    const start = auditor.vault.clock.now();
    auditor.vault.clock.advance(3_600_000);
    await auditor.secret();
    await auditor.seal();
    const span = { to: new Date(start + 1_800_000).toISOString() };
    const before = await bundle(auditor, span);
    auditor.vault.tables.rows.clear();
    const after = await bundle(auditor, span);
    expect(after.get('leaves.ndjson')).toEqual(before.get('leaves.ndjson'));
    expect(before.get('leaves.ndjson')?.length).toBeGreaterThan(1_000);
  });

  it('a bundle proves on request that the log only grew since a checkpoint that the auditor kept', async () => {
    const auditor = await audited();
    await auditor.seal();
    const { checkpoint } = await auditor.json<{ checkpoint: string }>('/audit/checkpoint');
    auditor.vault.clock.advance(3_600_000);
    await auditor.secret();
    await auditor.seal();
    const from = new Date(auditor.vault.clock.now() - 1_000).toISOString();
    const keptSize = checkpoint.split('\n')[1] ?? '';
    const kept = { keys: [await auditor.key()], checkpoint: Buffer.from(checkpoint) };
    const alone = await bundle(auditor, { from });
    expect(verifyEvidence(alone, kept)).toMatchObject({ verdict: 'not valid' });
    const files = await bundle(auditor, { from, keptSize });
    expect(verifyEvidence(files, kept)).toMatchObject({ verdict: 'valid', problems: [] });
    expect((await auditor.get('/audit/evidence', { from, keptSize: '2' })).status).toBe(400);
  });

  it('a filtered bundle shows what fits and the bare hashes of the rest', async () => {
    const auditor = await audited();
    await auditor.secret();
    await auditor.seal();
    const files = await bundle(auditor, { action: 'secret.created' });
    const lines = (files.get('leaves.ndjson') ?? Buffer.alloc(0)).toString('utf8').trimEnd().split('\n');
    const shown = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).action);
    expect(new Set(shown)).toEqual(new Set(['secret.created']));
    expect(lines.some((line) => /^[0-9a-f]{64}$/.test(line))).toBe(true);
    expect([...files.keys()].some((name) => name.startsWith('neighbours/'))).toBe(false);
    expect(verifyEvidence(files, { keys: [await auditor.key()] })).toMatchObject({
      verdict: 'valid',
      problems: [],
    });
  });

  it('one event is evidence in one small file', async () => {
    const auditor = await audited();
    await auditor.seal();
    const answer = await auditor.get('/audit/evidence/event', { eventId: '0-2' });
    expect(answer.status).toBe(200);
    const file = Buffer.from(answer.text ?? '');
    expect(file.length).toBeLessThan(4_096);
    const judged = verifyProof(file, { keys: [await auditor.key()] });
    expect(judged).toMatchObject({ verdict: 'valid', row: { lane: 0, seq: 2 } });
    expect((await auditor.get('/audit/evidence/event', { eventId: 'nonsense' })).status).toBe(404);
  });

  it('long spans come in bundles, each valid by itself', async () => {
    const auditor = await audited();
    // Rows of 8 KiB: the bytes of a bundle are at their limit long before the rows are.
    const detail = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`part${at}`, 'x'.repeat(512)]));
    for (let round = 0; round < 8; round += 1) {
      await auditor.vault.trail.commit(
        systemOrigin(auditor.workspaceId),
        Array.from({ length: 60 }, () => ({
          action: 'secret.listed' as const,
          entity: { type: 'workspace', id: auditor.workspaceId },
          result: 'success' as const,
          detail,
        })),
      );
    }
    await auditor.seal();
    const keys = [await auditor.key()];
    let query: Record<string, string> = {};
    let leaves = 0;
    let bundles = 0;
    for (;;) {
      const answer = await auditor.get('/audit/evidence', query);
      const files = unzip(Buffer.from(answer.bytes ?? []));
      expect(verifyEvidence(files, { keys })).toMatchObject({ verdict: 'valid', problems: [] });
      leaves += JSON.parse((files.get('bundle.json') ?? Buffer.alloc(0)).toString()).leaves;
      bundles += 1;
      const next = /cursor=([^>&]+)/.exec(answer.headers?.['Link'] ?? '')?.[1];
      if (next === undefined) break;
      query = { cursor: decodeURIComponent(next) };
    }
    expect(bundles).toBe(2);
    expect(leaves).toBeGreaterThan(480);
  });

  it('the CSV with proofs holds exact rows, and nothing that a spreadsheet takes for a formula', async () => {
    const auditor = await audited();
    await auditor.seal();
    const answer = await auditor.get('/audit/evidence/rows');
    expect(answer.status).toBe(200);
    const [header, ...lines] = (answer.text ?? '').trimEnd().split('\r\n');
    expect(header).toBe(
      'id,createdAt,actorType,actorId,action,entityType,entityId,ipAddress,result,leafIndex,leafHash,treeSize,proof,row,checkpoint',
    );
    expect(lines.length).toBeGreaterThan(4);
    for (const line of lines) expect(line).not.toMatch(/(^|,)"?[=+@\t-]/);
  });
});

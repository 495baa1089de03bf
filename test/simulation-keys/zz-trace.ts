import { expect } from 'expect';
(globalThis as any).expect = expect;
const { playHistory } = await import('./history.ts');
const seed = Number(process.argv[2]); const id = process.argv[3] ?? '';
const { violations, world } = await playHistory(seed, new Set());
console.log(violations.slice(0,5));
const t0 = world.evidence.commits[0]!.at;
for (const { at, rows, changes } of world.evidence.commits) {
  const mig = changes.find(({ entity }) => entity.kind === 'keyMigration' && entity.workspaceId === (process.argv[4] ?? 'ws_'+'a'.repeat(32)))?.entity as any;
  const mine = changes.filter(({ entity }) => entity.id.startsWith(id) && id).map((c) => `${c.op} ${c.entity.kind} r${c.entity.revision} ${(c.entity as any).keyArn?.slice(-12) ?? ''}${(c.entity as any).deletedAt ?? ''}`);
  if (mig || mine.length || rows.some((r) => r.action.includes('key.previous') || r.action.startsWith('deployment')))
    console.log(((at - t0) / 1000).toFixed(1), rows.map((r) => r.action + ' ' + r.ua).join(','), mine.join('; '), mig ? JSON.stringify({ state: mig.state, pass: mig.pass, pos: mig.position.list, dist: mig.passDisturbed, moved: mig.passMoved, bl: mig.passBlocked, nb: mig.notBefore && (Date.parse(mig.notBefore) - t0) / 1000, key: mig.keyArn.slice(-8), st: (Date.parse(mig.startedAt) - t0)/1000 }) : '');
}

import { playHistory } from './history.ts';
const r = await playHistory(Number(process.argv[2]), new Set());
console.log(r.violations.map(v=>v.slice(0,1500)));
import { createHash } from 'node:crypto';
for (const row of r.world.evidence.rows) {
  const c = JSON.parse(Buffer.from(row.bytes).toString());
  if (c.action === 'lane.opened' || (row.seq === 1)) console.log(row.workspaceId.slice(0,4), row.lane, row.seq, c.action, c.detail, 'prev', c.prev.slice(0,8), 'hash', createHash('sha256').update(Buffer.concat([Buffer.of(0), row.bytes])).digest('hex').slice(0,8), c.ts);
}
console.log([...r.world.tables.entities.values()].filter(e=>e.entity.kind==='laneSet'), [...r.world.evidence.removed]);
console.log(r.world.evidence.alerts);

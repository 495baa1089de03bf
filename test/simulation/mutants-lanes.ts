import type { AuditEvent, Origin } from '../../core/audit/event.ts';
import { FIRST_EXTRA_LANE, type LaneSet, laneSetKind } from '../../core/audit/lane-set.ts';
import type { StoredRow } from '../../core/audit/ledger.ts';
import { decodeRow, encodeRow } from '../../core/audit/row.ts';
import type { AuditTrail } from '../../core/audit/trail.ts';
import type { NamedMutant } from './mutants.ts';
import type { World } from './world.ts';

/** Broken vaults as far as the lanes of busy workspaces are concerned. */
export const laneMutants: readonly NamedMutant[] = [
  {
    name: 'a trail that takes changes along into other lanes',
    caughtBy: ['I3'],
    alterTrail: (trail, _instance, world) =>
      elsewhere(trail, world, (events) => events.some(({ changes = [] }) => changes.length > 0)),
  },
  {
    name: 'a trail that reads one thing now in this lane and now in that',
    caughtBy: ['I3'],
    alterTrail: (trail, _instance, world) =>
      elsewhere(trail, world, (events) => events.every(({ changes = [] }) => changes.length === 0)),
  },
  {
    name: 'a ledger that does not show the row which opened a lane as it is',
    caughtBy: ['I3'],
    alterPorts: (ports) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        row: async (lane, seq) => {
          const row = await ports.ledger.row(lane, seq);
          return row && disguised(row);
        },
      },
    }),
  },
  {
    name: 'a ledger that does not know of lanes which were opened',
    caughtBy: ['I8'],
    alterPorts: (ports) => ({ ...ports, ledger: { ...ports.ledger, extraLanes: async () => [] } }),
  },
];

/** Has some commits of principals written to any of the lanes that their workspace has opened. */
function elsewhere(
  trail: AuditTrail,
  { tables, random }: World,
  isMoved: (events: readonly AuditEvent[]) => boolean,
): AuditTrail {
  const laneFor = ({ workspaceId, lane, actor }: Origin): number => {
    const set = [...tables.entities.values()].find(
      ({ entity }) => entity.kind === laneSetKind.name && entity.workspaceId === workspaceId,
    );
    if (lane !== 0 || actor.type === 'system' || set === undefined) return lane;
    return FIRST_EXTRA_LANE + random.below((set.entity as LaneSet).count);
  };
  return {
    commit: (origin, events) =>
      trail.commit(isMoved(events) ? { ...origin, lane: laneFor(origin) } : origin, events),
  };
}

function disguised(row: StoredRow): StoredRow {
  const content = decodeRow(row.bytes);
  if (content.action !== 'lane.opened') return row;
  return { ...row, bytes: encodeRow({ ...content, ip: '192.0.2.1' }) };
}

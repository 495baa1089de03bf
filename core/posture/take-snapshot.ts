import { dayOf } from '../findings/finding.ts';
import type { Bookkeeping } from '../identity/bookkeeping.ts';
import type { Clock } from '../kernel/ports.ts';
import { underLease, type Worked } from '../verification/under-lease.ts';
import { noFacts, postureFactsSchema } from './facts.ts';
import { type RecordParts, recordSnapshot } from './record-snapshot.ts';
import { SECTIONS } from './sections.ts';
import type { Count, SnapshotState, SnapshotStates } from './snapshot-state.ts';

export interface SnapshotParts extends RecordParts {
  readonly clock: Clock;
  readonly bookkeeping: RecordParts['bookkeeping'] & Pick<Bookkeeping, 'lastUsed'>;
  readonly snapshots: SnapshotStates;
}

/** Pages counted in one slice, 20,000 entries: seconds, where a lease lasts minutes. */
const PAGES = 200;

const NEW: SnapshotState = { version: 0, leaseUntil: 0, failures: 0, day: '' };

/**
 * Does one slice of a workspace's snapshot of today: counts on where the last slice ended, and once all is counted, judges
 * and records it. Idle when today's is there already.
 *
 * A count that a run could not finish goes on with the next one, whatever day it is then: a workspace that is too large for
 * one run gets its snapshot a day later, and not never. What is counted while others work is as the lists told it then:
 * what was moved in a list meanwhile may count twice or not at all.
 *
 * @param pages counted at most.
 */
export function takeSnapshot(
  parts: SnapshotParts,
  workspaceId: string,
  pages = PAGES,
): Promise<Worked<SnapshotState>> {
  const { clock } = parts;
  const state = parts.snapshots(workspaceId);
  const access = {
    read: async () => (await state.read()) ?? NEW,
    replace: (next: SnapshotState) => state.replace(next),
  };
  return underLease(
    clock,
    access,
    async (known) => (known.day === dayOf(clock.now()) ? undefined : known),
    async (leased) => {
      const count = await countOn(parts, workspaceId, leased.count, pages);
      const { count: _before, ...rest } = leased;
      if (count.section < SECTIONS.length) return { ...rest, count };
      return { ...rest, day: await recordSnapshot(parts, workspaceId, count) };
    },
  );
}

async function countOn(
  { store, bookkeeping, clock }: SnapshotParts,
  workspaceId: string,
  begun: Count | undefined,
  pages: number,
): Promise<Count> {
  const {
    from,
    section: first,
    facts: counted,
  } = begun ?? { from: clock.now(), section: 0, facts: noFacts() };
  // A copy: a slice that fails must leave the counts of the ones before as they were.
  const facts = postureFactsSchema.parse(counted);
  let section = first;
  let after = begun?.after;
  for (let page = 0; page < pages; page += 1) {
    const countPage = SECTIONS[section];
    if (countPage === undefined) break;
    after = await countPage({ store, bookkeeping, workspaceId, now: from, facts }, after);
    if (after === undefined) section += 1;
  }
  return { from, section, facts, ...(after === undefined ? {} : { after }) };
}

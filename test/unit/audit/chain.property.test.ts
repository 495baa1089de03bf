import fc from 'fast-check';
import { RefusedChanges } from '../../../core/audit/append.ts';
import { STRANGER_LANE } from '../../../core/audit/event.ts';
import { strangerOrigin } from '../../../core/audit/lane-start.ts';
import type { AuditRow } from '../../../core/audit/row.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import { entityDigest, update } from '../../../core/kernel/entity.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { checkedLane } from '../../support/check-lane.ts';
import { FakeClock } from '../../support/clock.ts';
import { type Fault, MemoryTables } from '../../support/memory-ledger.ts';
import { createNote, noted, noteKind, ORIGIN, WORKSPACE } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';

const STRANGER = strangerOrigin(WORKSPACE, '198.51.100.1', 'curl');
const SHARED = 'shared';

/** One commit: how many events, in which lane, whether each makes a note, and whether it changes what all share. */
const commit = fc.record({
  events: fc.integer({ min: 1, max: 3 }),
  stranger: fc.boolean(),
  notes: fc.boolean(),
  shared: fc.boolean(),
});
const writers = fc.array(fc.array(commit, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 3 });

interface Outcome {
  readonly names: readonly string[];
  readonly end: 'committed' | 'refused' | 'unavailable';
  readonly positions: readonly { readonly lane: number; readonly seq: number }[];
}

it('any number of trails, however they interleave and whatever is lost, write one chain', async () => {
  const totals = { committed: 0, refused: 0, unavailable: 0 };
  const property = fc.asyncProperty(
    fc.scheduler(),
    writers,
    fc.nat(),
    fc.constantFrom(0, 0.2, 0.6),
    async (scheduler, plans, seed, faultRate) => {
      const tables = new MemoryTables();
      await createAuditTrail(parts(tables, seed)).commit(ORIGIN, [noted(SHARED, createNote(SHARED))]);

      const random = new SeededRandom(seed);
      tables.faults = (call) => scheduler.schedule(Promise.resolve(draw(random, faultRate)), call.name);
      tables.answers = (call) => scheduler.schedule(Promise.resolve(), `answer to ${call.name}`);

      const outcomes: Outcome[] = [];
      const runWriter = async (plan: (typeof plans)[number], index: number): Promise<void> => {
        const trail = createAuditTrail(parts(tables, seed + index + 1));
        for (const [turn, step] of plan.entries()) {
          const names = Array.from({ length: step.events }, (_, event) => `w${index}t${turn}e${event}`);
          const changes = step.shared ? [await updateShared(tables)] : [];
          const events = names.map((name, at) =>
            noted(name, ...(step.notes ? [createNote(name)] : []), ...(at === 0 ? changes : [])),
          );
          const outcome = await trail.commit(step.stranger ? STRANGER : ORIGIN, events).then(
            (positions) => ({ names, positions, end: 'committed' }) as const,
            (error: unknown) => ({ names, positions: [], end: failure(error) }) as const,
          );
          totals[outcome.end] += 1;
          outcomes.push(outcome);
        }
      };
      await scheduler.waitFor(Promise.all(plans.map(runWriter)));
      await scheduler.waitIdle();

      const rows = allRows(tables);
      for (const { names, positions, end } of outcomes) {
        const found = names.flatMap((name) => rows.filter(({ entity }) => entity.id === name));
        if (end === 'committed') expect(found.map(({ lane, seq }) => ({ lane, seq }))).toEqual(positions);
        if (end === 'refused') expect(found).toEqual([]);
        // Nobody knows what became of these; but they are whole or not there, and never there twice.
        if (end === 'unavailable') expect([0, names.length]).toContain(found.length);
      }
      expectEntitiesExplained(tables, rows);
    },
  );
  await fc.assert(property, { numRuns: 300 });
  for (const count of Object.values(totals)) expect(count).toBeGreaterThan(0);
}, 60_000);

function parts(tables: MemoryTables, seed: number) {
  return { ledger: tables.ledger, clock: new FakeClock(), random: new SeededRandom(seed * 16 + 7) };
}

function failure(error: unknown): Outcome['end'] {
  if (error instanceof RefusedChanges) return 'refused';
  if (error instanceof VaultError && error.code === 'unavailable') return 'unavailable';
  throw error;
}

function draw(random: SeededRandom, rate: number): Fault {
  const faults: Fault[] = ['before', 'after', 'late', 'contended'];
  return random.below(100) < rate * 100 ? (faults[random.below(faults.length)] ?? 'none') : 'none';
}

/** The next revision of the note that all writers share, read past the faults: they are for the trail. */
async function updateShared(tables: MemoryTables) {
  const stored = [...tables.entities.values()].find(({ entity }) => entity.id === SHARED);
  const note = noteKind.schema.parse(stored?.entity);
  return update(noteKind, note, { text: `${note.text}.` });
}

/** The rows of both lanes, each lane checked to be one chain, and that of the strangers to start where it was opened. */
function allRows(tables: MemoryTables): AuditRow[] {
  const principals = checkedLane(tables, ORIGIN);
  const opening = principals.find(({ action }) => action === 'lane.opened');
  const start = opening && tables.lane(ORIGIN)[opening.seq - 1]?.hash;
  return [...principals, ...checkedLane(tables, { workspaceId: WORKSPACE, lane: STRANGER_LANE }, start)];
}

/** Each entity is what the last row about it says, and each change in a row has been carried out. */
function expectEntitiesExplained(tables: MemoryTables, rows: readonly AuditRow[]): void {
  const explained = new Set(rows.flatMap(({ changes }) => changes.map(({ id }) => id)));
  const stored = [...tables.entities.values()];
  expect(new Set(stored.map(({ entity }) => entity.id))).toEqual(explained);
  for (const { entity, row } of stored) {
    const explaining = rows.find(({ lane, seq }) => lane === row.lane && seq === row.seq);
    expect(explaining?.changes).toContainEqual({
      kind: entity.kind,
      id: entity.id,
      revision: entity.revision,
      digest: entityDigest(entity),
    });
    const changes = rows.flatMap((one) => one.changes).filter(({ id }) => id === entity.id);
    expect(changes.map(({ revision }) => revision).sort((a, b) => a - b)).toEqual(
      Array.from({ length: entity.revision }, (_, index) => index + 1),
    );
  }
}

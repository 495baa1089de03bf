import { StoryError } from './client.ts';
import type { Secret } from './everyday.ts';
import { runJob } from './jobs.ts';
import type { Stage } from './stage.ts';

interface Break {
  readonly lane: number;
  readonly seq: number;
  readonly reason: string;
  readonly entity?: { readonly kind: string; readonly id: string };
}

interface Verification {
  readonly ok: boolean;
  readonly rows: number;
  readonly entities: number;
  readonly head: { readonly seq: number; readonly hash: string };
  readonly breaks?: readonly Break[];
}

interface AuditEvent {
  readonly id: string;
  readonly result: string;
  readonly detail: Readonly<Record<string, string>>;
}

/** The auditor takes the log home. */
export async function exportLog({ scene, say, owner, startedAt }: Stage): Promise<void> {
  scene('The auditor exports the log');
  const path = `/audit/export?from=${startedAt.toISOString()}`;
  const { text } = await owner.expect(200, 'GET', path, { headers: { Accept: 'text/csv' } });
  const lines = text.trimEnd().split('\r\n');
  say(`GET ${path}`, ...lines.slice(0, 5), `… ${lines.length - 1} rows since the story began`);
  if (!text.includes('secret.revealed')) throw new StoryError('The exported log misses the reveals.');
}

/** Everything fits: each row with the one before it, each stored thing with the row that last changed it. */
export async function verifyIntact(stage: Stage, title: string): Promise<void> {
  stage.scene(title);
  const { ok, rows, entities, head, breaks = [] } = await verify(stage);
  stage.say('POST /audit/verify', ...breaks.map(describe));
  if (!ok) throw new StoryError('The audit trail does not verify where it should.');
  stage.say(`ok: ${rows} rows and ${entities} stored things fit, up to row ${head.seq}, hash ${head.hash}`);
}

/** Two edits in the tables, past the vault. Gives the id of the event that was edited. */
export async function tamper(
  { scene, say, owner, insider, url, workspaceId }: Stage,
  secret: Secret,
  viewerId: string,
): Promise<string> {
  scene('An insider with access to the tables covers a trace');
  // As the schedule does each minute: whether the row is sealed decides what else contradicts the edit.
  await runJob(url, 'sealer', { seal: workspaceId });
  const query = `action=secret.revealed&entityId=${secret.id}&limit=10`;
  const { json: found } = await owner.expect<{ readonly items: readonly AuditEvent[] }>(
    200,
    'GET',
    `/audit?${query}`,
  );
  const event = found.items.find(({ result }) => result === 'success');
  if (event === undefined) throw new StoryError(`The log has no reveal of ${secret.name}.`);
  await insider.editRow(workspaceId, event.id, (text) =>
    text.replace('"action":"secret.revealed"', '"action":"secret.read"'),
  );
  say(`In the audit table, row ${event.id} said "secret.revealed". Now it says "secret.read".`);

  scene("… and makes the contractor's key an owner's");
  await insider.editRole(viewerId, 'owner');
  say(`In the vault table, ${viewerId} had the role "viewer". Now it has "owner".`);
  return event.id;
}

/** Both edits are named, on demand and by the daily job. */
export async function findOut(stage: Stage, eventId: string, viewerId: string): Promise<void> {
  const { scene, say, owner, url, workspaceId } = stage;
  scene('Verification names both');
  const { ok, breaks = [] } = await verify(stage);
  say('POST /audit/verify', ...breaks.map(describe));
  const row = breaks.find((each) => `${each.lane}-${each.seq}` === eventId && each.entity === undefined);
  const key = breaks.find(({ entity }) => entity?.id === viewerId);
  if (ok || row === undefined || key === undefined || breaks.length !== 2) {
    throw new StoryError('Verification did not name exactly the two edits.');
  }

  scene('So does the verifier, which runs every day and leaves its finding in the log');
  const report = await runJob<object>(url, 'verifier', { workspaceId, kind: 'complete' });
  say(`The verifier's function: ${JSON.stringify(report)}`);
  const { json: log } = await owner.expect<{ readonly items: readonly AuditEvent[] }>(
    200,
    'GET',
    '/audit?action=audit.verified&actorId=verifier&limit=1',
  );
  const [finding] = log.items;
  say(`Event ${finding?.id}: ${finding?.result}, ${JSON.stringify(finding?.detail)}`);
  const further = Number(finding?.detail['breaks']) - 2;
  say('One more break: the row is not what was sealed in its place either');
  // Where the archiver's time came since, as it does in a vault that was moved on by a day.
  if (further === 2) say('And one more: it is not what was archived');
  if (finding?.result !== 'failure' || (further !== 1 && further !== 2)) {
    throw new StoryError('The verifier did not record what it found.');
  }
}

/** Everything is put back, and the contractor's key revoked. */
export async function putBack(stage: Stage, viewerId: string): Promise<void> {
  stage.scene('The insider puts both back, byte for byte');
  await stage.insider.undo();
  await stage.owner.expect(204, 'DELETE', `/api-keys/${viewerId}`);
  stage.say(`Both are as they were, and the owner has revoked ${viewerId}.`);
}

async function verify({ owner }: Stage): Promise<Verification> {
  const { json } = await owner.expect<Verification>(200, 'POST', '/audit/verify', { json: {} });
  return json;
}

function describe({ lane, seq, reason, entity }: Break): string {
  const what = entity === undefined ? `row ${lane}-${seq}` : `${entity.kind} ${entity.id}`;
  const why = entity === undefined ? '' : ` (last changed by row ${lane}-${seq})`;
  return `BREAK ${what}: ${reason}${why}`;
}

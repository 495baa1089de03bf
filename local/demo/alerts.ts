import { StoryError } from './client.ts';
import { runJob, settle } from './jobs.ts';
import { table } from './narrator.ts';
import { openReceiver } from './receiver.ts';
import type { Stage } from './stage.ts';

export interface Alert {
  readonly id: string;
  readonly kind: string;
  readonly tier: string;
  readonly subject: string;
  readonly seen?: string;
  readonly usual?: string;
  readonly rows: readonly string[];
  readonly detail: Readonly<Record<string, string>>;
  readonly lastSeenAt: string;
}

interface Alerts {
  readonly items: readonly Alert[];
}

/** How Ada learns of an alert without asking. */
export interface Channel {
  /** Waits until an alert has arrived. Throws StoryError if it does not. */
  tells(alert: Alert): Promise<void>;
  close(): Promise<void>;
}

/** From now on each alert goes to a program of Ada's. */
export async function openChannel({ scene, say, owner, namespace }: Stage): Promise<Channel> {
  scene('Ada has the vault tell her when something is wrong');
  const receiver = await openReceiver();
  const json = { name: `channel of ${namespace}`, feed: 'alerts', url: receiver.url };
  try {
    const path = '/workspace/webhooks';
    const { json: made } = await owner.expect<{ id: string; secret: string }>(201, 'POST', path, { json });
    receiver.trust(made.secret);
    say(`POST ${path}, feed "alerts": ${made.id}`, `A program of hers takes them at ${receiver.url}`);
    return {
      async tells(alert) {
        const { type } = await receiver.about(alert.id);
        say(`Her program has it: ${type}, and the signature is right`);
      },
      async close() {
        receiver.close();
        await owner.expect(204, 'DELETE', `${path}/${made.id}`);
      },
    };
  } catch (error) {
    receiver.close();
    throw error;
  }
}

/** The alert of a kind about a subject, if there is one. Throws StoryError if it is not there, or not of its tier. */
export async function findAlert(
  { say, owner }: Stage,
  tier: string,
  kind: string,
  isMeant: (alert: Alert) => boolean,
): Promise<Alert> {
  const path = `/alerts?tier=${tier}&kind=${kind}`;
  const { json } = await owner.expect<Alerts>(200, 'GET', path);
  const alert = json.items.find(isMeant);
  if (alert === undefined) throw new StoryError(`GET ${path} does not tell what just happened.`);
  const { seen, usual, rows } = alert;
  say(`GET ${path}`, `Seen: ${seen}`, `Usual: ${usual}`, `Rows: ${rows.join(' ')}`);
  return alert;
}

/** What this story gives reason for, wherever it is told. */
const NOTICED = [
  'honeypot_used',
  'decoy_revealed',
  'encryption_key_changed',
  'key_unavailable',
  'row_modified',
  'entity_unexplained',
  'audit_break',
];

/** Closes all alerts that were raised since the story began. Throws StoryError if one is missing. */
export async function closeAlerts({ scene, say, owner, url, startedAt }: Stage): Promise<void> {
  scene('All that the vault noticed in this story. Ada has looked at it, and closes the alerts');
  await settle(url);
  await runJob(url, 'anomaly', {});
  const { json } = await owner.expect<Alerts>(200, 'GET', '/alerts?state=open&limit=100');
  const alerts = json.items.filter(({ lastSeenAt }) => Date.parse(lastSeenAt) >= startedAt.getTime());
  for (const { id } of alerts) {
    await owner.expect(200, 'POST', `/alerts/${id}/close`, { json: { note: 'That was the demo.' } });
  }
  say(...table(alerts.map(({ tier, kind, subject }) => [tier, kind, subject])));
  const missed = NOTICED.filter((kind) => !alerts.some((alert) => alert.kind === kind));
  if (missed.length > 0) throw new StoryError(`The vault did not notice: ${missed.join(', ')}.`);
}

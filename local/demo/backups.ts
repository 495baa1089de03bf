import { setTimeout } from 'node:timers/promises';
import { StoryError } from './client.ts';
import { passMinutes, runJob } from './jobs.ts';
import type { Stage } from './stage.ts';

interface Started {
  /** As in `2026-11-22T01-00-00Z`. */
  readonly instant: string;
  /** The ARN of each table's export. */
  readonly exports: Readonly<Record<string, string>>;
}

interface Verdict {
  readonly status: string;
  readonly newest?: { readonly ageSeconds: number };
}

const PATIENCE_MS = 60_000;
const LOOK_MS = 100;
const DAY_AND_MORE_MINUTES = 26 * 60;

/** Both tables are exported, and the check finds the export whole. */
export async function backUp(stage: Stage): Promise<void> {
  const { scene, say, url } = stage;
  scene('Every night both tables are exported as of one instant, and every morning that is checked');
  const { instant, exports } = await runJob<Started>(url, 'backup', {});
  say(`The backup's function: ${instant}, ${Object.keys(exports).length} exports under way`);
  for (const arn of Object.values(exports)) await completed(url, arn);
  const verdict = await check(stage);
  if (verdict.status !== 'good') throw new StoryError('The check did not find the backup good.');
}

/** Backups that nobody misses are the ones that are missing when they are needed. */
export async function letBackupGoStale(stage: Stage): Promise<void> {
  const { scene, say, url, insider } = stage;
  scene('The next night something keeps the backup from running');
  await passMinutes(url, DAY_AND_MORE_MINUTES);
  const verdict = await check(stage);
  if (verdict.status !== 'stale') throw new StoryError('The check did not find the backup stale.');
  const told = await insider.newestRows('_platform', 5);
  const row = told.find(
    ({ action, detail }) => action === 'alert.raised' && detail['kind'] === 'backup_stale',
  );
  if (row === undefined) throw new StoryError('The trail of the platform has no alert about the backup.');
  say(`In the trail of the platform, for the operator: ${row.action}, ${row.detail['tier']}, backup_stale`);
  say(`Seen: ${row.detail['seen']}`, `Usual: ${row.detail['usual']}`);
}

async function check({ say, url }: Stage): Promise<Verdict> {
  const verdict = await runJob<Verdict>(url, 'backup-check', {});
  say(`The check's function: ${JSON.stringify(verdict)}`);
  return verdict;
}

/** DynamoDB exports at its leisure. */
async function completed(url: string, exportArn: string): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  while ((await statusOf(url, exportArn)) === 'IN_PROGRESS') {
    if (signal.aborted) throw new StoryError(`The export ${exportArn} does not end.`);
    await setTimeout(LOOK_MS);
  }
}

async function statusOf(url: string, exportArn: string): Promise<string> {
  const answer = await fetch(`${url}/_aws/dynamodb-export`, {
    method: 'POST',
    headers: { 'X-Amz-Target': 'DynamoDB_20120810.DescribeExport' },
    body: JSON.stringify({ ExportArn: exportArn }),
  });
  if (!answer.ok) throw new StoryError(`DescribeExport answered ${answer.status}: ${await answer.text()}`);
  const described = (await answer.json()) as {
    readonly ExportDescription: { readonly ExportStatus: string };
  };
  return described.ExportDescription.ExportStatus;
}

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StoryError } from './client.ts';
import type { Secret } from './everyday.ts';
import { runJob, settle } from './jobs.ts';
import type { Stage } from './stage.ts';

const VERIFIER = join(import.meta.dirname, '..', '..', 'verify', 'bin.js');

interface Verdict {
  readonly output: readonly string[];
  readonly isValid: boolean;
}

interface Outcome {
  readonly workspaces: number;
  readonly sealed: number;
  readonly refused: number;
}

/** Rows are sealed, and the auditor takes them home with proofs, to check them where nothing of the vault is. */
export async function takeEvidenceHome(stage: Stage): Promise<void> {
  const { scene, say, owner, url, workspaceId } = stage;
  scene('The rows are sealed under a signed head, which the auditor keeps');
  await runJob(url, 'sealer', { seal: workspaceId });
  const { json } = await owner.expect<{ checkpoint: string; verifierKey: string }>(
    200,
    'GET',
    '/audit/checkpoint',
  );
  const { checkpoint, verifierKey } = json;
  say('GET /audit/checkpoint', ...checkpoint.trimEnd().split('\n'), `verifier key: ${verifierKey}`);

  scene('… and verifies the evidence offline, with a program that knows nothing of the vault');
  const from = stage.startedAt.toISOString();
  const bundle = await download(url, stage.apiKey, `/audit/evidence?from=${from}`);
  const { output, isValid } = await verifyOffline(bundle, verifierKey);
  say(`lockzero-verify evidence.zip (${bundle.length} bytes) --key …`, ...output);
  if (!isValid) throw new StoryError('The evidence does not verify where it should.');
}

/** The whole lane is written anew, with every hash right: a chain alone shows nothing. The signed head does. */
export async function rewriteHistory(stage: Stage, secret: Secret): Promise<void> {
  const { scene, say, owner, insider, url, workspaceId } = stage;
  scene('An insider rewrites history: one row, and every row after it with fresh, right hashes');
  await settle(url);
  const eventId = await lastReveal(stage, secret);
  const since = new Date().toISOString();
  const count = await insider.rechain(workspaceId, eventId, (text) =>
    text.replace('"action":"secret.revealed"', '"action":"secret.read"'),
  );
  say(
    `Row ${eventId} now says "secret.read". ${count} rows were written anew, each with the hash of the one before.`,
  );
  await settle(url);
  const { json: chain } = await owner.expect<{ readonly ok: boolean; readonly rows: number }>(
    200,
    'POST',
    '/audit/verify',
    { json: {} },
  );
  say(
    `POST /audit/verify, which follows the chain: ok: ${chain.ok}, ${chain.rows} rows. Nothing is wrong with the chain.`,
  );
  if (!chain.ok) throw new StoryError('The rewritten chain should hold together.');

  scene('The tamper guard saw it happen …');
  const { json: told } = await owner.expect<{
    readonly items: readonly { readonly detail: Readonly<Record<string, string>> }[];
  }>(200, 'GET', `/audit?action=alert.raised&actorId=guard&from=${since}&limit=100`);
  say(...told.items.map(({ detail }) => `Alert: ${detail['tier']}, ${detail['subject']}.`));
  if (told.items.length === 0) throw new StoryError('The guard did not see the rows change.');

  scene('… and the signed head gives it away for good');
  const sealing = await runJob<Outcome>(url, 'sealer', { seal: workspaceId });
  say(`The sealer's function: ${JSON.stringify(sealing)}`);
  say('Nothing more is signed on top of a forged log, and a critical alert is raised.');
  if (sealing.refused !== 1) throw new StoryError('The sealer did not refuse the forged log.');
  const report = await runJob<object>(url, 'verifier', { workspaceId, kind: 'complete' });
  say(`The verifier's function, complete: ${JSON.stringify(report)}`);
  const { json: log } = await owner.expect<{
    readonly items: readonly { readonly result: string; readonly detail: Readonly<Record<string, string>> }[];
  }>(200, 'GET', '/audit?action=audit.verified&actorId=verifier&limit=1');
  const [finding] = log.items;
  say(`It recorded: ${finding?.result}, ${JSON.stringify(finding?.detail)}`);
  const { lane, seq } = finding?.detail ?? {};
  if (finding?.result !== 'failure' || `${lane}-${seq}` !== eventId)
    throw new StoryError(`The verifier did not name the row ${eventId}.`);

  scene('The sealed log still has every row as it was written');
  const { json } = await owner.expect<{ verifierKey: string }>(200, 'GET', '/audit/checkpoint');
  const bundle = await download(url, stage.apiKey, `/audit/evidence?action=secret.revealed`);
  const { output, isValid } = await verifyOffline(bundle, json.verifierKey);
  say('lockzero-verify evidence.zip --key …', ...output);
  if (!isValid) throw new StoryError('The sealed evidence does not verify where it should.');
}

async function lastReveal({ owner }: Stage, secret: Secret): Promise<string> {
  const query = `action=secret.revealed&entityId=${secret.id}&limit=10`;
  const { json } = await owner.expect<{
    readonly items: readonly { readonly id: string; readonly result: string }[];
  }>(200, 'GET', `/audit?${query}`);
  const event = json.items.find(({ result }) => result === 'success');
  if (event === undefined) throw new StoryError(`The log has no reveal of ${secret.name}.`);
  return event.id;
}

async function download(url: string, apiKey: string, path: string): Promise<Uint8Array> {
  const answer = await fetch(url + path, { headers: { Authorization: `Bearer ${apiKey}` } });
  if (!answer.ok) throw new StoryError(`GET ${path} answered ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Runs the offline verifier as an auditor does: another program, which gets a file and a key. */
async function verifyOffline(bundle: Uint8Array, key: string): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'lockzero-evidence-'));
  try {
    const file = join(folder, 'evidence.zip');
    writeFileSync(file, bundle);
    const { stdout } = await promisify(execFile)(process.execPath, [VERIFIER, file, '--key', key]).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
    );
    const output = stdout.trimEnd().split('\n');
    return { output, isValid: output.includes('valid') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

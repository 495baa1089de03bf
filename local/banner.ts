import { styleText } from 'node:util';
import type { DevVault } from './dev-vault.ts';

/** The three requests with which to begin, as lines for a shell. The name must be new to the demo workspace. */
export function firstRequests(
  { url, apiKey }: { readonly url: string; readonly apiKey: string },
  name: string,
): { readonly title: string; readonly command: string }[] {
  const key = `-H 'Authorization: Bearer ${apiKey}'`;
  const secret = JSON.stringify({ namespace: 'demo', name, value: 'correct horse battery staple' });
  return [
    {
      title: 'Store a secret',
      command: `curl ${url}/secrets ${key} -H 'Content-Type: application/json' -d '${secret}'`,
    },
    {
      title: 'Reveal it by its name',
      command: `curl ${url}/namespaces/demo/secrets/${name}/value ${key}`,
    },
    { title: 'See who did what', command: `curl '${url}/audit?limit=5' ${key}` },
  ];
}

interface BannerFacts {
  readonly dataDir: string;
  readonly fastClock: boolean;
  /** As in {@link firstRequests}. */
  readonly secretName: string;
}

/** What a developer wants to know once the vault runs. */
export function banner(
  { config, time }: Pick<DevVault, 'config' | 'time'>,
  { dataDir, fastClock, secretName }: BannerFacts,
): string {
  const strong = (text: string): string => styleText('bold', text, { stream: process.stdout });
  const quiet = (text: string): string => styleText('dim', text, { stream: process.stdout });
  return [
    '',
    `  ${strong('Lockzero')} runs at ${strong(config.url)}`,
    '',
    `  ${quiet('data')}     ${dataDir} ${quiet('(delete it to start anew)')}`,
    `  ${quiet('API key')}  ${config.apiKey} ${quiet('(owner of the workspace "Demo")')}`,
    `  ${quiet('login')}    ${config.owner.email} ${quiet('with the password')} ${config.owner.password}`,
    `  ${quiet('mail')}     ${config.outbox}`,
    ...clockLines(fastClock, time.ahead()).map((text) => `  ${quiet('clock')}    ${text}`),
    '',
    ...firstRequests(config, secretName).flatMap(({ title, command }) => [
      `  ${quiet(title)}`,
      `  ${command}`,
      '',
    ]),
    `  ${quiet('"npm run demo" in another terminal tells the whole story. Ctrl-C stops the vault.')}`,
    '',
  ].join('\n');
}

const HOUR_MS = 60 * 60 * 1000;

function clockLines(fastClock: boolean, aheadMs: number): string[] {
  const ahead = `${(aheadMs / HOUR_MS).toFixed(1)} hours ahead of the wall clock`;
  if (fastClock) return [`a day passes in a minute; it begins ${ahead}`];
  return aheadMs === 0 ? [] : [`${ahead}, where an earlier run left it`];
}

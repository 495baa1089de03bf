import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { api } from '../support/api.ts';
import { finishLocal, startDevProcess } from '../support/dev-vault.ts';
import { describeWithJava } from '../support/java.ts';

// A start takes seconds, and longer on a machine that is busy.
jest.setTimeout(180_000);

/** The lines of a story in which verification names the edited row and the promoted key. */
function expectBothNamed(story: string): void {
  const [, row] = /^ {4}In the audit table, row (\d+-\d+) said "secret\.revealed"\./m.exec(story) ?? [];
  const [, key] = /^ {4}In the vault table, (key_[0-9a-f]{32}) had the role "viewer"\./m.exec(story) ?? [];
  expect(story.match(/^ {4}BREAK .*$/gm)).toEqual([
    `    BREAK row ${row}: hash_mismatch`,
    expect.stringMatching(`^    BREAK apiKey ${key}: entity_altered `),
  ]);
  expect(story).toMatch(/The verifier's function: \{"workspaces":1,"rows":\d+,"entities":0,"breaks":[34]\}/);
  expect(story).toMatch(/^ {4}lockzero-verify evidence\.zip .*\n(.*\n)*? {4}valid$/m);
}

/** The lines of a story in which a key is stolen, and whatever the thief does is told. */
function expectThiefCaught(story: string): void {
  expect(story.match(/^ {4}Her program has it: lockzero\.alert\.raised/gm)).toHaveLength(
    story.includes('looks around, so slowly') ? 3 : 2,
  );
  expect(story).toMatch(/^ {4}POST \/secrets\/sec_[0-9a-f]{32}\/reveal by the thief: 401$/m);
  const [, closed = ''] = /closes the alerts\n(( {4}.+\n)+)/.exec(story) ?? [];
  for (const kind of [
    'honeypot_used',
    'decoy_revealed',
    'key_unavailable',
    'row_modified',
    'entity_unexplained',
    'audit_break',
  ]) {
    expect(closed.match(new RegExp(`^ {4}critical +${kind} `, 'gm'))).toHaveLength(1);
  }
  expect(story).toContain('The check\'s function: {"status":"good"');
}

/** The lines of a story in which a customer brings a key, takes it away and gives it back. */
function expectKeyObeyed(story: string): void {
  expect(story).toMatch(/^ {4}422 key_refused:\n {4}- it must refuse the vault where it shows no/m);
  expect(story).toMatch(/^ {4}Meanwhile 240 reveals, none of which failed$/m);
  expect(story).toMatch(/^ {4}GET \/workspace\/encryption-key: \d{2,3} versions moved, moving$/m);
  expect(story).toMatch(/^ {4}503 key_unavailable: /m);
  expect(story).toMatch(/^ {4}GET \/secrets\?namespace=\S+-devices: all 40 are still listed$/m);
  expect(story).toMatch(/^ {4}Nothing is lost: 40 reveals, none of which failed$/m);
}

/** The lines of a story that moves time on by days. */
function expectSlowThingsFound(story: string): void {
  expect(story).toContain('Seen: Asked within 7 days for 30 different names');
  expect(story).toMatch(/^ {4}warning +reconnaissance +api_key key_[0-9a-f]{32}$/m);
  expect(story).toContain('The check\'s function: {"status":"stale"');
  expect(story).toMatch(/^ {4}Seen: The newest whole backup is 2[67] hours old\.$/m);
}

/** The lines of a story in which a whole history is rewritten, and the signed head tells. */
function expectForgeryFound(story: string): void {
  const [, row = ''] = /Row (\d+-\d+) now says "secret\.read"\. \d+ rows were written anew/.exec(story) ?? [];
  expect(story).toMatch(/^ {4}Alert: critical, row 0-\d+/m);
  expect(story).toMatch(/follows the chain: ok: true/);
  expect(story).toContain('{"workspaces":1,"sealed":0,"refused":1,"failed":0}');
  expect(story).toContain(`"reason":"log_forked"`);
  expect(story).toContain(`"seq":"${row.split('-')[1]}"`);
}

describeWithJava('npm run demo', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lockzero-demo-test-'));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

  test('tells its story with a vault of its own, and leaves nothing behind', async () => {
    const temporary = mkdtempSync(join(dataDir, 'tmp-'));
    const { stdout, stderr, exitCode } = await finishLocal('demo', {
      LOCKZERO_DATA_DIR: join(dataDir, 'nothing-here'),
      TMPDIR: temporary,
    });
    expect([stderr, exitCode]).toEqual(['', 0]);
    expect(stdout).toMatch(/^Lockzero, told by a fresh vault/);
    expectThiefCaught(stdout);
    expectSlowThingsFound(stdout);
    expectKeyObeyed(stdout);
    expectBothNamed(stdout);
    expectForgeryFound(stdout);
    expect(readdirSync(temporary).filter((name) => name.startsWith('lockzero'))).toEqual([]);
  });

  test('tells it by a running vault, again and again, and leaves its trail intact', async () => {
    const vault = await startDevProcess(dataDir);
    try {
      for (let telling = 1; telling <= 2; telling += 1) {
        const { stdout, stderr, exitCode } = await finishLocal('demo', { LOCKZERO_DATA_DIR: dataDir });
        expect([stderr, exitCode]).toEqual(['', 0]);
        expect(stdout).toContain(`told by the vault at ${vault.config.url}`);
        expectThiefCaught(stdout);
        expectKeyObeyed(stdout);
        expectBothNamed(stdout);
      }
      const { url, apiKey } = vault.config;
      const client = api(url, apiKey);
      expect((await client.post('/audit/verify', { json: {} })).json).toMatchObject({ ok: true });
      expect((await client.get('/alerts?state=open')).json).toMatchObject({ items: [] });
      expect((await client.get('/workspace/webhooks')).json).toMatchObject({ items: [] });
    } finally {
      await vault.end('SIGINT');
    }
  });
});

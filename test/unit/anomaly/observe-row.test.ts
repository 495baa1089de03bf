import type { Locations } from '../../../core/anomaly/locations.ts';
import { observeRow } from '../../../core/anomaly/observe-row.ts';
import { type AuditRow, encodeRow, rowHash } from '../../../core/audit/row.ts';
import { sampleRow } from '../../support/rows.ts';

const NOWHERE: Locations = { of: () => undefined };
const BERLIN: Locations = { of: () => ({ country: 'DE', latitude: 52.5, longitude: 13.4 }) };

function observe(change: Partial<AuditRow> = {}, locations = NOWHERE) {
  const content = { ...sampleRow(), ...change };
  const bytes = encodeRow(content);
  const { ws: workspaceId, lane, seq, nonce } = content;
  return observeRow(
    { content, stored: { workspaceId, lane, seq, bytes, hash: rowHash(bytes), nonce } },
    locations,
  );
}

it('shows what the detectors need of a row', () => {
  expect(observe()).toEqual({
    id: '0-5',
    at: Date.parse('2026-03-01T09:00:00.000Z'),
    actor: { type: 'api_key', id: 'key_1' },
    action: 'secret.revealed',
    result: 'denied',
    entity: { type: 'secret', id: 'sec_1' },
    ip: '203.0.113.7',
    detail: { Zone: 'z', reason: 'role' },
  });
});

it.each([
  { actor: { type: 'system', id: 'purge' } },
  { actor: { type: 'robot', id: 'r2' } },
  { action: 'alert.raised' },
  { action: 'alert.closed' },
])('shows nothing of %j', (change) => {
  expect(observe(change)).toBeUndefined();
});

it.each(['user', 'anonymous'])('shows what somebody does who is %s', (type) => {
  expect(observe({ actor: { type, id: '-' } })?.actor).toEqual({ type, id: '-' });
});

it('shows the failures of strangers that a job counted and recorded', () => {
  const tally = { actor: { type: 'system', id: 'tally' }, action: 'authentication.failed' };
  expect(observe(tally)?.actor).toEqual({ type: 'anonymous', id: '-' });
});

describe('the place of an address', () => {
  const detail = (country: string) => ({ detail: { country } });

  it('is what the database knows', () => {
    expect(observe(detail('FR'), BERLIN)?.location).toEqual(BERLIN.of(''));
  });

  it('is else the country that the edge told', () => {
    expect(observe(detail('FR'))?.location).toEqual({ country: 'FR' });
  });

  it.each(['', 'fr', 'FRA', 'T1', '??'])('is not a country called %j', (country) => {
    expect(observe(detail(country))).not.toHaveProperty('location');
  });
});

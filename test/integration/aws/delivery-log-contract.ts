import type { Delivery, DeliveryState } from '../../../core/siem/delivery-log.ts';
import { newWorkspace, type Ports } from './ports.ts';

const NOW = Date.parse('2026-01-01T12:00:00.000Z');

/** What every `DeliveryLog` must do. */
export function describeDeliveryLog(getPorts: () => Ports): void {
  const state = (start: number, more: Partial<DeliveryState> = {}): DeliveryState => ({
    start,
    next: { '0': 17, '1': 3 },
    ...more,
  });
  const delivery = (at: number, more: Partial<Delivery> = {}): Delivery => ({
    at,
    accepted: true,
    status: 202,
    events: 2,
    firstEventId: '0-1',
    lastEventId: '1-1',
    durationMs: 12,
    ...more,
  });
  let webhook: { readonly workspaceId: string; readonly id: string };
  beforeEach(() => {
    webhook = { workspaceId: newWorkspace(), id: `wh_${'a'.repeat(32)}` };
  });
  const log = () => getPorts().deliveries;

  it('has no state at first, and then the last one, whole', async () => {
    expect(await log().read(webhook)).toBeUndefined();
    const whole = state(1, {
      lease: { owner: 'a', until: NOW },
      failing: { since: NOW, attempts: 1, nextAttemptAt: NOW + 10_000, reason: 'timed_out' },
    });
    expect(await log().replace(webhook, 0, whole)).toBe('replaced');
    expect(await log().read(webhook)).toEqual({ version: 1, state: whole });
    expect(await log().replace(webhook, 1, state(2))).toBe('replaced');
    expect(await log().read(webhook)).toEqual({ version: 2, state: state(2) });
  });

  it('replaces only the state that was read', async () => {
    await log().replace(webhook, 0, state(1));
    expect(await log().replace(webhook, 0, state(2))).toBe('changed');
    expect(await log().replace(webhook, 2, state(2))).toBe('changed');
    expect(await log().replace({ ...webhook, id: 'wh_other' }, 1, state(2))).toBe('changed');
    expect(await log().read(webhook)).toEqual({ version: 1, state: state(1) });
  });

  it('lets one of many win', async () => {
    await log().replace(webhook, 0, state(1));
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, index) => log().replace(webhook, 1, state(index + 2))),
    );
    expect(outcomes.filter((outcome) => outcome === 'replaced')).toHaveLength(1);
  });

  it('lists what was sent, newest first, page by page, for one webhook', async () => {
    const failed = delivery(NOW + 2, { accepted: false, error: 'not_accepted' });
    const { status: _, ...unanswered } = delivery(NOW + 10, { accepted: false, error: 'timed_out' });
    for (const one of [delivery(NOW), failed, unanswered, delivery(NOW + 11)])
      await log().record(webhook, one);
    await log().record({ ...webhook, id: 'wh_other' }, delivery(NOW + 5));
    await log().record({ ...webhook, workspaceId: newWorkspace() }, delivery(NOW + 6));
    await log().replace(webhook, 0, state(1));
    const first = await log().list(webhook, { limit: 3 });
    expect(first.items).toEqual([delivery(NOW + 11), unanswered, failed]);
    const second = await log().list(webhook, { limit: 3, after: first.next ?? '' });
    expect(second).toEqual({ items: [delivery(NOW)] });
    expect((await log().list(webhook, { limit: 100 })).items).toHaveLength(4);
  });

  it('forgets the state, and keeps what was sent', async () => {
    await log().replace(webhook, 0, state(1));
    await log().record(webhook, delivery(NOW));
    await log().forget(webhook);
    await log().forget(webhook);
    expect(await log().read(webhook)).toBeUndefined();
    expect(await log().replace(webhook, 1, state(2))).toBe('changed');
    expect((await log().list(webhook, { limit: 10 })).items).toHaveLength(1);
    expect(await log().replace(webhook, 0, state(2))).toBe('replaced');
  });
}

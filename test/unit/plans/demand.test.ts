import { demandFeature, demandRetention, demandRoom, tooManyRequests } from '../../../core/plans/demand.ts';
import { PLAN_FEATURES, PLAN_NAMES, PLANS } from '../../../core/plans/plan.ts';

describe('a feature', () => {
  it.each(PLAN_NAMES.flatMap((plan) => PLAN_FEATURES.map((feature) => ({ plan, feature }))))(
    '$feature is there in the plan $plan, or refused with the plans that have it',
    ({ plan, feature }) => {
      const demand = () => demandFeature({ plan }, 'enterprise', feature);
      if (PLANS[plan].features.includes(feature)) return expect(demand).not.toThrow();
      expect(demand).toThrow(
        expect.objectContaining({
          code: 'not_in_plan',
          message: expect.stringMatching(new RegExp(`the plan ${plan}, but in: .*enterprise`)),
        }),
      );
    },
  );

  it('of a workspace without a plan is judged by the default', () => {
    expect(() => demandFeature({}, 'enterprise', 'customerKey')).not.toThrow();
    expect(() => demandFeature({}, 'standard', 'customerKey')).toThrow('not in the plan standard');
  });
});

describe('room', () => {
  it('is there up to the limit, and not beyond it', () => {
    expect(() => demandRoom({ plan: 'standard' }, 'enterprise', 'secrets', { used: 999 })).not.toThrow();
    expect(() => demandRoom({}, 'standard', 'secrets', { used: 980, more: 20 })).not.toThrow();
    expect(() => demandRoom({}, 'standard', 'secrets', { used: 1_000, more: 0 })).not.toThrow();
  });

  it('that is not there is told of: which limit, which plan, how much is used, what to do', () => {
    expect(() => demandRoom({}, 'standard', 'secrets', { used: 990, more: 20 })).toThrow(
      expect.objectContaining({
        code: 'plan_limit_exceeded',
        message:
          'The plan standard allows 1,000 secrets, the deleted ones included. There are 990, and this would add 20. ' +
          'Purge what nobody needs, or ask your operator for another plan.',
      }),
    );
    expect(() => demandRoom({}, 'standard', 'apiKeys', { used: 50 })).toThrow('Revoke keys');
    expect(() => demandRoom({}, 'standard', 'members', { used: 25 })).toThrow('Remove members');
  });

  it('of requests is there again in the next month', () => {
    expect(tooManyRequests('standard', '2026-11', 1_000_003).message).toContain(
      'allows 1,000,000 requests in a month, and 2026-11 has had 1,000,003.',
    );
  });
});

describe('retention', () => {
  const ask = (days: number, auditRetentionDays?: number) => () =>
    demandRetention(
      { plan: 'standard', ...(auditRetentionDays === undefined ? {} : { auditRetentionDays }) },
      'enterprise',
      days,
    );

  it('may be as long as the plan allows', () => {
    expect(ask(365)).not.toThrow();
    expect(ask(366)).toThrow(
      expect.objectContaining({
        code: 'plan_limit_exceeded',
        message: expect.stringContaining('for 365 days, and 366'),
      }),
    );
  });

  it('of before a smaller plan stays, can be lowered, and not be raised', () => {
    expect(ask(2_557, 2_557)).not.toThrow();
    expect(ask(1_000, 2_557)).not.toThrow();
    expect(ask(1_001, 1_000)).toThrow('for 365 days');
  });
});

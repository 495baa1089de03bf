import {
  PLAN_FEATURES,
  PLAN_NAMES,
  PLANS,
  type PlanLimit,
  type PlanName,
  planOf,
} from '../../../core/plans/plan.ts';
import { AUDIT_RETENTION_DAYS } from '../../../core/workspaces/workspace.ts';
import { named, tableRows } from '../docs/pages.ts';

const LIMITS = Object.keys(PLANS.standard.limits) as PlanLimit[];

describe('plans', () => {
  it('allow at least what the ones before them do', () => {
    for (const [index, name] of PLAN_NAMES.entries()) {
      const smaller = PLANS[PLAN_NAMES[index - 1] ?? name];
      for (const limit of LIMITS)
        expect(PLANS[name].limits[limit]).toBeGreaterThanOrEqual(smaller.limits[limit]);
      expect(PLANS[name].features).toEqual(expect.arrayContaining([...smaller.features]));
    }
    expect(PLANS.enterprise.features).toEqual(PLAN_FEATURES);
  });

  it('allow to keep audit rows for as long as a workspace keeps them unasked, and for no longer than it can', () => {
    const days = PLAN_NAMES.map((name) => PLANS[name].limits.auditRetentionDays);
    expect(Math.min(...days)).toBeGreaterThanOrEqual(AUDIT_RETENTION_DAYS.unlessSet);
    expect(Math.max(...days)).toBe(AUDIT_RETENTION_DAYS.most);
  });

  it('are those of workspaces, or else of the deployment', () => {
    expect(planOf({ plan: 'compliance' }, 'standard')).toBe('compliance');
    expect(planOf({}, 'enterprise')).toBe('enterprise');
  });

  it('stand in docs/plans.md as they are', () => {
    const written = tableRows('docs/plans.md').flatMap(([first, ...cells]) => {
      const [name = ''] = named(first);
      return cells.length === PLAN_NAMES.length ? [[name, cells] as const] : [];
    });
    const row = (cell: (name: PlanName) => string) => PLAN_NAMES.map(cell);
    expect(written.filter(([name]) => name !== '')).toEqual([
      ...LIMITS.map((limit) => [limit, row((name) => PLANS[name].limits[limit].toLocaleString('en-US'))]),
      ...PLAN_FEATURES.map((feature) => [
        feature,
        row((name) => (PLANS[name].features.includes(feature) ? 'yes' : 'no')),
      ]),
    ]);
    expect(written[0]).toEqual(['', [...PLAN_NAMES]]);
  });
});

import type { PostureCheck } from '../check.ts';

export const alertsUnheard: PostureCheck = {
  name: 'alerts_unheard',
  title: 'Nobody hears of an alert',
  advice:
    'Make a webhook with "feed": "alerts" to where somebody looks, and set those going again that are paused or parked.',
  severity: 'high',
  dueDays: 7,
  fault: ({ webhooks: { active, paused, parked } }) =>
    active > 0 ? undefined : `No webhook is active (${paused} paused, ${parked} parked).`,
};

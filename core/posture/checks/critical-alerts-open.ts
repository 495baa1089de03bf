import { type PostureCheck, sentence } from '../check.ts';

export const criticalAlertsOpen: PostureCheck = {
  name: 'critical_alerts_open',
  title: 'Critical alerts are open that are older than a day',
  advice: 'Look at them now, acknowledge each one, and close it once it is dealt with.',
  severity: 'critical',
  dueDays: 1,
  fault: ({ alerts: { criticalForDay } }) =>
    criticalForDay.count === 0
      ? undefined
      : sentence(
          criticalForDay,
          'critical alert is open that was first seen more than a day ago',
          'critical alerts are open that were first seen more than a day ago',
        ),
};

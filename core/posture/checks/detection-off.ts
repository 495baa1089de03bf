import type { PostureCheck } from '../check.ts';

export const detectionOff: PostureCheck = {
  name: 'detection_off',
  title: 'Detectors of anomalies are turned off',
  advice:
    'Turn them on again with PATCH /workspace/detection, or raise their thresholds if they are too loud.',
  severity: 'medium',
  dueDays: 14,
  fault: ({ detectorsOff }) =>
    detectorsOff.length === 0 ? undefined : `These detectors are off: ${detectorsOff.join(' ')}.`,
};

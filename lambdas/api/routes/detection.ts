import * as z from 'zod';
import { allDetectors } from '../../../core/anomaly/detectors.ts';
import { type Detection, getDetection } from '../../../core/anomaly/get-detection.ts';
import { patchSchema, viewSchema } from '../../../core/anomaly/settings-schemas.ts';
import { updateDetection } from '../../../core/anomaly/update-detection.ts';
import { guarded } from '../http/route.ts';
import { etag } from './views.ts';

const detectionView = z.object({ detectors: viewSchema(allDetectors) });

const detectionPatch = z.strictObject({
  detectors: patchSchema(allDetectors).refine(
    (detectors) => Object.values(detectors).some((fields) => Object.keys(fields ?? {}).length > 0),
    {
      error: 'must change something: a detector by its name, with the fields to set',
      when: ({ issues }) => issues.length === 0,
    },
  ),
});

function answer({ stored, detectors }: Detection) {
  return {
    status: 200,
    ...(stored === undefined ? {} : { headers: etag(stored) }),
    json: { detectors },
  };
}

export const detectionRoutes = [
  guarded({
    method: 'GET',
    path: '/workspace/detection',
    summary: 'How the detectors of anomalies are set, defaults included',
    permission: 'detection:read',
    action: 'detection.read',
    responses: [
      {
        status: 200,
        description: 'The settings; with an ETag once anything was set',
        schema: detectionView,
      },
    ],
    handle: async (_, context, vault) => answer(await getDetection(vault, context)),
  }),
  guarded({
    method: 'PATCH',
    path: '/workspace/detection',
    summary:
      'Tunes the detectors of anomalies, or turns them off or on; null takes a field back to its default. What happened before is judged as it was set then',
    permission: 'detection:manage',
    action: 'detection.updated',
    conditional: true,
    body: detectionPatch,
    responses: [{ status: 200, description: 'The settings as they are now', schema: detectionView }],
    handle: async ({ body }, context, vault) => answer(await updateDetection(vault, context, body.detectors)),
  }),
];

import { checkPrecondition } from '../../../core/access/precondition.ts';
import type { Precondition } from '../../../core/access/principal.ts';
import { sampleSecret } from '../../support/samples.ts';

const CURRENT = { ...sampleSecret('ws_1', 'sec_1').entity, revision: 3 };

/** RFC 9110 section 13.1; an empty list stands for tags that are none of ours, or weak ones in `If-Match`. */
it.each<[string, Precondition | undefined, held: boolean, heldForNothing: boolean]>([
  ['none', undefined, true, true],
  ['an empty one', {}, true, true],
  ['If-Match the current revision', { ifMatch: [3] }, true, false],
  ['If-Match one of several', { ifMatch: [1, 3] }, true, false],
  ['If-Match another revision', { ifMatch: [2] }, false, false],
  ['If-Match no revision of ours', { ifMatch: [] }, false, false],
  ['If-Match anything', { ifMatch: '*' }, true, false],
  ['If-None-Match the current revision', { ifNoneMatch: [3] }, false, true],
  ['If-None-Match another revision', { ifNoneMatch: [2] }, true, true],
  ['If-None-Match no revision of ours', { ifNoneMatch: [] }, true, true],
  ['If-None-Match anything', { ifNoneMatch: '*' }, false, true],
  ['both, which hold', { ifMatch: [3], ifNoneMatch: [2] }, true, false],
  ['both, one of which does not hold', { ifMatch: [3], ifNoneMatch: [3] }, false, false],
])('%s', (_, precondition, held, heldForNothing) => {
  const holds = (current: typeof CURRENT | undefined): boolean => {
    try {
      checkPrecondition(precondition, current);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'precondition_failed' });
      return false;
    }
  };
  expect([holds(CURRENT), holds(undefined)]).toEqual([held, heldForNothing]);
});

it('a refusal names the revision that is current, to retry with', () => {
  expect(() => checkPrecondition({ ifMatch: [2] }, CURRENT)).toThrow('"v3"');
});

import type { Detectors } from '../../core/anomaly/detectors.ts';
import type { Locations } from '../../core/anomaly/locations.ts';
import type { Observation } from '../../core/anomaly/observation.ts';
import { observeRow } from '../../core/anomaly/observe-row.ts';
import { buildRows, type Head, readRow } from '../../core/audit/build-rows.ts';
import type { Action, AuditEvent } from '../../core/audit/event.ts';
import type { StoredRow } from '../../core/audit/ledger.ts';
import { GENESIS_HASH } from '../../core/audit/row.ts';
import { systemRandom } from '../../lambdas/shared/system.ts';
import { cpuTime } from './cpu-time.ts';
import { makeMonths } from './months.ts';
import { Watchman } from './watch-months.ts';

const WEEKS = 6;
const NO_LOCATIONS: Locations = { of: () => undefined };

/** How many rows a second are read from their bytes, as the store has them, and looked at by all detectors. */
export function parsedRates(
  detectors: Detectors,
  seed: number,
): { readonly rows: number; readonly rowsPerSecond: number } {
  const months = makeMonths({
    seed,
    size: 'small',
    weeks: WEEKS,
    withAttacks: false,
    withCoordinates: false,
  });
  const watchman = new Watchman(detectors);
  let head: Head = { seq: 0, hash: GENESIS_HASH, time: 0 };
  let rows = 0;
  let milliseconds = 0;
  for (const week of months.weeks()) {
    const stored: StoredRow[] = [];
    for (const { row } of week) {
      const built = storedRow(head, months.company.workspaceId, row);
      head = built.head;
      stored.push(...built.rows);
    }
    const start = cpuTime();
    for (const row of stored) {
      const content = readRow(row);
      const observation = content && observeRow({ stored: row, content }, NO_LOCATIONS);
      if (observation !== undefined) watchman.observe(observation);
    }
    milliseconds += cpuTime() - start;
    rows += stored.length;
  }
  return { rows, rowsPerSecond: (rows / milliseconds) * 1_000 };
}

function storedRow(head: Head, workspaceId: string, row: Observation): ReturnType<typeof buildRows> {
  const { actor, action, entity, result, detail, ip, at, location } = row;
  const origin = { workspaceId, lane: 0, actor, ip, userAgent: 'lockzero-sdk/1.0 node/24.0.0 linux/arm64' };
  const event: AuditEvent = {
    action: action as Action,
    entity,
    result,
    detail: location === undefined ? detail : { ...detail, country: location.country },
  };
  return buildRows(head, origin, [event], at, systemRandom);
}

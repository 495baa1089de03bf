import type { AlertTier } from '../detection/alert.ts';
import { invalid } from '../kernel/errors.ts';
import { DEFAULT_MIN_TIER, type Feed, type Preset } from './webhook.ts';

/** What a preset is for, and by what its receivers know the vault. */
interface PresetRules {
  readonly feeds: readonly Feed[];
  readonly credential: 'header' | 'path' | 'routing key' | 'none';
  /** Whether a receiver takes nothing without it. */
  readonly needsCredential: boolean;
}

const SIEM: PresetRules = { feeds: ['audit'], credential: 'header', needsCredential: true };

const PRESET_RULES: Record<Preset, PresetRules> = {
  generic: { feeds: ['audit', 'alerts'], credential: 'header', needsCredential: false },
  splunk: SIEM,
  datadog: SIEM,
  elastic: SIEM,
  slack: { feeds: ['alerts'], credential: 'path', needsCredential: true },
  pagerduty: { feeds: ['alerts'], credential: 'routing key', needsCredential: true },
  email: { feeds: ['alerts'], credential: 'none', needsCredential: false },
  sns: { feeds: ['alerts'], credential: 'none', needsCredential: false },
};

/** Whether what a receiver of one preset knows the vault by means something else to one of the other. */
export function knowsOtherwise(one: Preset, other: Preset): boolean {
  return PRESET_RULES[one].credential !== PRESET_RULES[other].credential;
}

const DEFAULT_BATCH_SIZE = 100;
/** Alerts are for people and their tools, which take one at a time. */
const ALERT_BATCH_SIZE = 1;

interface Asked {
  readonly preset: Preset;
  readonly feed?: Feed | undefined;
  readonly minTier?: AlertTier | undefined;
  readonly batchSize?: number | undefined;
}

interface Settings {
  readonly feed?: Feed;
  readonly minTier?: AlertTier;
  readonly batchSize: number;
}

/**
 * The settings of a new or changed webhook that depend on its feed; without one, the preset's first.
 *
 * @throws VaultError `invalid_request` for what does not fit together.
 */
export function settingsFor(asked: Asked): Settings {
  const { preset, minTier = DEFAULT_MIN_TIER, batchSize } = asked;
  const { feeds } = PRESET_RULES[preset];
  const feed = asked.feed ?? feeds[0] ?? 'audit';
  if (!feeds.includes(feed)) throw invalid('preset', `must be one for the feed ${feed}: ${preset} is not`);
  if (feed === 'audit') {
    if (asked.minTier !== undefined) throw invalid('minTier', 'is for webhooks of the feed alerts');
    return { batchSize: batchSize ?? DEFAULT_BATCH_SIZE };
  }
  if (batchSize !== undefined && batchSize !== ALERT_BATCH_SIZE) {
    throw invalid('batchSize', 'must be 1 for the feed alerts, or left out');
  }
  return { feed, minTier, batchSize: ALERT_BATCH_SIZE };
}

/**
 * The credential that a request gives: in the URL, or by itself.
 *
 * @throws VaultError `invalid_request` for one that the preset has no place for.
 */
export function givenCredential<Given extends string | null | undefined>(
  preset: Preset,
  inUrl: string | undefined,
  given: Given,
): Given | string {
  const { credential } = PRESET_RULES[preset];
  if (typeof given === 'string' && credential === 'path') {
    throw invalid('credential', `is part of the URL for the preset ${preset}: give the whole URL`);
  }
  if (typeof given === 'string' && credential === 'none') {
    throw invalid('credential', `is not for the preset ${preset}`);
  }
  return inUrl ?? given;
}

/**
 * The products' intakes take nothing without a credential: better told at once than by a day of refusals.
 *
 * @throws VaultError `invalid_request`
 */
export function refuseMissingCredential(preset: Preset, kept: string | undefined): void {
  const { credential, needsCredential } = PRESET_RULES[preset];
  if (!needsCredential || kept !== undefined) return;
  if (credential === 'path') throw invalid('url', 'must be the whole URL of the incoming webhook');
  throw invalid('credential', `is needed for the preset ${preset}`);
}

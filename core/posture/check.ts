import type { Severity } from '../findings/finding.ts';
import type { PostureFacts, Tally } from './facts.ts';

/** Something that should hold in every workspace. While it does not, there is a finding. */
export interface PostureCheck {
  /** What settings, findings and snapshots call it; once given, it stays. */
  readonly name: string;
  /** What is wrong when it fails: the title of its finding. */
  readonly title: string;
  /** What to do then: the description of its finding. */
  readonly advice: string;
  readonly severity: Severity;
  /** How long somebody has for it, from the day when it is found. */
  readonly dueDays: number;
  /** One sentence on what was seen, at most 500 characters; `undefined` when it holds. */
  readonly fault: (facts: PostureFacts) => string | undefined;
}

/** A tally as a sentence: `3 keys never expire: key_… key_…, and 1 more.` */
export function sentence({ count, first }: Tally, one: string, many: string): string {
  const others = count - first.length;
  const names = `${first.join(' ')}${others > 0 ? `, and ${others} more` : ''}`;
  return `${count} ${count === 1 ? one : many}: ${names}.`;
}

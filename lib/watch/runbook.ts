/** The sections of `docs/RUNBOOK.md` that alarms send people to, by their headings. */
export type RunbookSection =
  | 'An alert'
  | 'Somebody may be inside'
  | 'A function fails'
  | 'A scheduled job does not run'
  | 'Streams or queues lag behind'
  | 'Messages that nobody could handle'
  | 'The API fails or is slow'
  | 'The KMS key is used too often'
  | 'The bill grows'
  | 'The audit trail does not verify'
  | 'Archive or retention stands still'
  | 'A backup failed'
  | 'The canary died'
  | 'The detector lags behind'
  | 'CloudTrail was changed'
  | 'Deploying a tenant, and destroying one'
  | 'The KMS key is disabled or lost'
  | 'The store is lost';

/** A link to a section, as GitHub and most viewers of Markdown spell it. */
export function runbookLink(section: RunbookSection): string {
  return `docs/RUNBOOK.md#${section
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')}`;
}

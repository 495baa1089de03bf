import * as z from 'zod';
import type { JobState } from '../kernel/job-state.ts';

const domainSchema = z.strictObject({
  /** Absent until the search has answered once. */
  known: z
    .strictObject({
      /** The first 16 hex digits of a hash over issuer and serial number of each certificate; oldest first. */
      seen: z.array(z.string()),
      /** The issuers' distinguished names so far. */
      issuers: z.array(z.string()),
    })
    .exactOptional(),
  /** Since when the search answers nothing, in epoch milliseconds. */
  failingSince: z.int().exactOptional(),
});

/** What is known of each watched domain. */
export const certificateStateSchema = z.strictObject({
  version: z.int().min(1),
  domains: z.record(z.string(), domainSchema),
});

export type DomainState = z.infer<typeof domainSchema>;
export type KnownCertificates = NonNullable<DomainState['known']>;
export type CertificateState = z.infer<typeof certificateStateSchema>;
export type CertificateStates = JobState<CertificateState>;

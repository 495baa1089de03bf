/** What whoever logs in is told first (NIST SP 800-171 r2, requirement 3.1.9). */
export const SYSTEM_NOTICE =
  'This is a controlled system. All access is monitored, logged and audited. Unauthorized use is prohibited and may be prosecuted. By logging in you consent to this.';

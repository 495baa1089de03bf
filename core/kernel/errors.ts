/**
 * Every way in which the vault says no. The union is closed: `lambdas/api/problem.ts` maps each code to one HTTP
 * status, exhaustively, so a new code does not compile until it has one.
 */
export type ErrorCode =
  | 'invalid_request'
  | 'malformed_json'
  | 'invalid_cursor'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'unauthenticated'
  | 'setup_refused'
  | 'login_refused'
  | 'code_refused'
  | 'link_refused'
  | 'login_locked'
  | 'plan_limit_exceeded'
  | 'forbidden'
  | 'not_in_plan'
  | 'csrf_refused'
  | 'step_up_required'
  | 'mfa_enrollment_required'
  | 'password_change_required'
  | 'not_found'
  | 'method_not_allowed'
  | 'name_taken'
  | 'secret_deleted'
  | 'not_deleted'
  | 'recovery_window_over'
  | 'namespace_not_empty'
  | 'already_revoked'
  | 'already_rotated'
  | 'already_member'
  | 'last_owner'
  | 'mfa_already_on'
  | 'mfa_not_on'
  | 'mfa_required'
  | 'workspace_not_empty'
  | 'too_many_workspaces'
  | 'too_many_webhooks'
  | 'alert_closed'
  | 'finding_closed'
  | 'import_conflict'
  | 'log_too_large'
  | 'key_in_use'
  | 'concurrent_change'
  | 'not_sealed'
  | 'idempotency_key_reused'
  | 'key_refused'
  | 'receiver_refused'
  | 'precondition_failed'
  | 'rate_limited'
  | 'key_unavailable'
  | 'breach_check_unavailable'
  | 'unavailable'
  | 'internal';

/** One fault in the input: where it is, and why it is refused. Never what was there: it may be a secret. */
export interface FieldError {
  readonly path: string;
  readonly reason: string;
}

interface VaultErrorOptions {
  readonly cause?: unknown;
  readonly errors?: readonly FieldError[];
  /** Whole seconds after which a retry makes sense. */
  readonly retryAfter?: number;
  /** For 405: the methods that the path does have. */
  readonly allow?: readonly string[];
  readonly keyArn?: string;
}

/** The one error class that crosses from the core to its callers. `message` is shown to the client: no values in it. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfter: number | undefined;
  readonly allow: readonly string[] | undefined;
  /** The key-encryption key that could not be used, for the record: answers do not tell it. */
  readonly keyArn: string | undefined;

  constructor(code: ErrorCode, message: string, options: VaultErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.retryAfter = options.retryAfter;
    this.allow = options.allow;
    this.keyArn = options.keyArn;
  }
}

export function invalid(path: string, reason: string): VaultError {
  return new VaultError('invalid_request', 'The request is not valid. See "errors" for each fault.', {
    errors: [{ path, reason }],
  });
}

/** The answer for an absent thing and for another tenant's thing alike, so that neither can be told apart. */
export function notFound(what: string): VaultError {
  return new VaultError('not_found', `No such ${what} in this workspace.`);
}

/** A dependency did not answer in time or is refusing work; nothing was revealed and the call may be repeated. */
export function unavailable(detail: string, cause?: unknown): VaultError {
  return new VaultError('unavailable', detail, { cause, retryAfter: 2 });
}

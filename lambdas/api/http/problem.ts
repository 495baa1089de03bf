import { type ErrorCode, VaultError } from '../../../core/kernel/errors.ts';
import type { ApiResponse } from './route.ts';

const STATUS: Record<ErrorCode, readonly [status: number, title: string]> = {
  invalid_request: [400, 'Bad Request'],
  malformed_json: [400, 'Bad Request'],
  invalid_cursor: [400, 'Bad Request'],
  unauthenticated: [401, 'Unauthorized'],
  setup_refused: [401, 'Unauthorized'],
  login_refused: [401, 'Unauthorized'],
  code_refused: [401, 'Unauthorized'],
  link_refused: [401, 'Unauthorized'],
  plan_limit_exceeded: [402, 'Payment Required'],
  forbidden: [403, 'Forbidden'],
  not_in_plan: [403, 'Forbidden'],
  csrf_refused: [403, 'Forbidden'],
  step_up_required: [403, 'Forbidden'],
  mfa_enrollment_required: [403, 'Forbidden'],
  password_change_required: [403, 'Forbidden'],
  not_found: [404, 'Not Found'],
  secret_deleted: [404, 'Not Found'],
  method_not_allowed: [405, 'Method Not Allowed'],
  name_taken: [409, 'Conflict'],
  not_deleted: [409, 'Conflict'],
  recovery_window_over: [409, 'Conflict'],
  namespace_not_empty: [409, 'Conflict'],
  already_revoked: [409, 'Conflict'],
  already_rotated: [409, 'Conflict'],
  already_member: [409, 'Conflict'],
  last_owner: [409, 'Conflict'],
  mfa_already_on: [409, 'Conflict'],
  mfa_not_on: [409, 'Conflict'],
  mfa_required: [409, 'Conflict'],
  workspace_not_empty: [409, 'Conflict'],
  too_many_workspaces: [409, 'Conflict'],
  too_many_webhooks: [409, 'Conflict'],
  alert_closed: [409, 'Conflict'],
  finding_closed: [409, 'Conflict'],
  import_conflict: [409, 'Conflict'],
  log_too_large: [409, 'Conflict'],
  key_in_use: [409, 'Conflict'],
  concurrent_change: [409, 'Conflict'],
  not_sealed: [409, 'Conflict'],
  precondition_failed: [412, 'Precondition Failed'],
  payload_too_large: [413, 'Content Too Large'],
  unsupported_media_type: [415, 'Unsupported Media Type'],
  idempotency_key_reused: [422, 'Unprocessable Content'],
  key_refused: [422, 'Unprocessable Content'],
  receiver_refused: [422, 'Unprocessable Content'],
  rate_limited: [429, 'Too Many Requests'],
  login_locked: [429, 'Too Many Requests'],
  internal: [500, 'Internal Server Error'],
  key_unavailable: [503, 'Service Unavailable'],
  breach_check_unavailable: [503, 'Service Unavailable'],
  unavailable: [503, 'Service Unavailable'],
};

export function statusOf(code: ErrorCode): number {
  return STATUS[code][0];
}

/** An error as an RFC 9457 problem document. What is not a VaultError says nothing of itself. */
export function problemResponse(error: VaultError, requestId: string): ApiResponse {
  const [status, title] = STATUS[error.code];
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      ...(error.retryAfter === undefined ? {} : { 'Retry-After': String(error.retryAfter) }),
      ...(error.allow === undefined ? {} : { Allow: error.allow.join(', ') }),
      ...(error.code === 'unauthenticated' ? { 'WWW-Authenticate': 'Bearer realm="lockzero"' } : {}),
    },
    text: JSON.stringify({
      type: 'about:blank',
      title,
      status,
      detail: error.message,
      code: error.code,
      requestId,
      ...(error.errors === undefined ? {} : { errors: error.errors }),
    }),
  };
}

/** Whatever was thrown, as an error that may be shown. The original stays its `cause`, for the log. */
export function toVaultError(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  return new VaultError(
    'internal',
    'Something went wrong on our side. Nothing was revealed. Tell your operator.',
    {
      cause: error,
    },
  );
}

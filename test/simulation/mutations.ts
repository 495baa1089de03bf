/** Who may do it: the least role; `anyone` for what people do about themselves; `-` where no role is asked for. */
export type Least = 'viewer' | 'operator' | 'admin' | 'owner' | 'anyone' | '-';

/**
 * What may change with which action, as the kinds in the row one after the other; and the least role that may. What
 * changes a person stands in the trail of the platform; in those of their workspaces it stands without the changes.
 */
export const MUTATIONS: { readonly [action: string]: readonly [kinds: RegExp, least: Least] } = {
  'lane.opened': [/^(laneSet)?$/, '-'],
  'workspace.created': [/^(workspace( installation usedSetupToken)?( membership)?)?$/, '-'],
  'workspace.updated': [/^workspace$/, 'owner'],
  'owner.recovered': [/^usedSetupToken( membership( workspace)?)?$/, '-'],
  'member.invited': [/^invitation$/, 'admin'],
  'member.joined': [/^membership invitation( workspace)?$/, '-'],
  'member.role_changed': [/^membership( workspace)?$/, 'admin'],
  'member.signed_out': [/^membership$/, 'admin'],
  'member.removed': [/^membership( workspace)?$/, 'viewer'],
  'invitation.revoked': [/^invitation( invitation)*$/, 'viewer'],
  'authentication.succeeded': [/^session refreshToken( (mfaChallenge|authorizationCode))?$/, 'anyone'],
  'authentication.mfa_required': [/^mfaChallenge$/, 'anyone'],
  'authentication.stepped_up': [/^session refreshToken refreshToken$/, 'viewer'],
  'session.refreshed': [/^session refreshToken refreshToken$/, 'anyone'],
  'session.switched': [/^session refreshToken$/, 'anyone'],
  'session.ended': [/^(session)?$/, 'anyone'],
  'session.reuse_detected': [/^(session|endedLogin)?$/, '-'],
  'session.all_revoked': [/^(user)?$/, 'anyone'],
  'user.created': [/^user userEmail( setupAttempt)?$/, '-'],
  'user.recovered': [/^(user( setupAttempt)?( mfa)?)?$/, '-'],
  'user.joined_workspace': [/^user$/, '-'],
  'user.left_workspace': [/^user( departedUser)?$/, '-'],
  'user.password_changed': [/^(user)?$/, 'anyone'],
  'user.password_rehashed': [/^user$/, 'anyone'],
  'user.password_reset_requested': [/^(passwordReset)?$/, '-'],
  'user.password_reset': [/^(user passwordReset)?$/, 'anyone'],
  'user.mfa_enrollment_started': [/^(mfa)?$/, 'anyone'],
  'user.mfa_enabled': [/^(mfa user|session)?$/, 'anyone'],
  'user.mfa_disabled': [/^(mfa user|session)?$/, 'anyone'],
  'user.totp_used': [/^mfa$/, 'anyone'],
  'user.backup_code_used': [/^mfa$/, 'anyone'],
  'user.backup_codes_replaced': [/^(mfa)?$/, 'anyone'],
  'oauth.authorized': [/^authorizationCode$/, 'anyone'],
  'oauth.code_reused': [/^(session|endedLogin)?$/, '-'],
  'oauth.token_revoked': [/^session$/, '-'],
  'api_key.created': [/^apiKey$/, 'admin'],
  'api_key.rotated': [/^apiKey apiKey$/, 'admin'],
  'api_key.revoked': [/^apiKey$/, 'admin'],
  'namespace.created': [/^namespace$/, 'operator'],
  'namespace.closed': [/^namespace$/, 'admin'],
  'namespace.reopened': [/^namespace$/, 'admin'],
  'namespace.deleted': [/^namespace$/, 'admin'],
  'secret.created': [/^secret secretVersion secretName$/, 'operator'],
  'secret.updated': [/^secret$/, 'operator'],
  'secret.value_updated': [/^secret secretVersion$/, 'operator'],
  'secret.rolled_back': [/^secret secretVersion$/, 'operator'],
  'secret.deleted': [/^secret$/, 'operator'],
  'secret.restored': [/^secret$/, 'operator'],
  'secret.purge_started': [/^(secret|secretVersion( secretVersion)*)$/, 'owner'],
  'secret.purged': [/^(secretVersion )*(secretName )?secret$/, 'owner'],
  'secret.imported': [/^$/, 'operator'],
};

/** Notes of the vault to itself, which go along with any change. */
export const RECORDS: ReadonlySet<string> = new Set(['idempotency', 'importJob', 'sweepMark']);

export const DELETED_ONLY: ReadonlySet<string> = new Set([
  'secret.restored',
  'secret.purge_started',
  'secret.purged',
]);

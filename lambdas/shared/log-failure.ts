import { VaultError } from '../../core/kernel/errors.ts';
import { logger } from './logger.ts';

/** Logs why a job could not do its work on one workspace: by code and name, since a message may hold what it failed on. */
export function logFailure(
  message: string,
  { workspaceId, error }: { readonly workspaceId: string; readonly error?: unknown },
): void {
  logger.error(message, {
    workspaceId,
    code: error instanceof VaultError ? error.code : 'internal',
    causeName: error instanceof Error ? error.name : '',
  });
}

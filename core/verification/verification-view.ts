import type { Findings, VerificationKind, WorkspaceVerification } from './verification-state.ts';

/** A verification as its workspace sees it: how far it has come, or what came of it. */
export interface VerificationView {
  readonly id: string;
  readonly kind: VerificationKind;
  readonly state: 'running' | 'done';
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly findings: Findings;
}

/** The verification with an id: the one under way, or the last one of a kind that ended. */
export function viewOf({ run, last }: WorkspaceVerification, id: string): VerificationView | undefined {
  if (run?.id === id) {
    const { kind, startedAt, findings } = run;
    return { id, kind, state: 'running', startedAt, findings };
  }
  const outcome = [last.incremental, last.complete].find((one) => one?.id === id);
  return outcome && { ...outcome, state: 'done' };
}

import type {
  ScanVerification,
  VerificationStates,
  WorkspaceVerification,
} from '../../core/verification/verification-state.ts';
import {
  scanVerificationSchema,
  workspaceVerificationSchema,
} from '../../core/verification/verification-state.ts';
import type { MemoryTables } from './memory-ledger.ts';

/** The `VerificationStates` port in memory; its calls have the faults of `tables`. States are kept as the table keeps them: as text. */
export class MemoryVerifications implements VerificationStates {
  /** By workspace, as JSON. Open to tests. */
  readonly states = new Map<string, string>();
  readonly #tables: Pick<MemoryTables, 'call'>;
  #scan: string | undefined;

  constructor(tables: Pick<MemoryTables, 'call'>) {
    this.#tables = tables;
  }

  async *workspaces(): AsyncIterable<readonly string[]> {
    yield await this.#tables.call('verifications.workspaces', () => [...this.states.keys()].sort());
  }

  read(workspaceId: string): Promise<WorkspaceVerification | undefined> {
    return this.#tables.call('verifications.read', () => {
      const text = this.states.get(workspaceId);
      return text === undefined ? undefined : workspaceVerificationSchema.parse(JSON.parse(text));
    });
  }

  replace(next: WorkspaceVerification): Promise<'replaced' | 'changed'> {
    return this.#tables.call('verifications.replace', () => {
      if (versionOf(this.states.get(next.workspaceId)) !== next.version - 1) return 'changed';
      this.states.set(next.workspaceId, JSON.stringify(next));
      return 'replaced';
    });
  }

  readScan(): Promise<ScanVerification | undefined> {
    return this.#tables.call('verifications.readScan', () =>
      this.#scan === undefined ? undefined : scanVerificationSchema.parse(JSON.parse(this.#scan)),
    );
  }

  replaceScan(next: ScanVerification): Promise<'replaced' | 'changed'> {
    return this.#tables.call('verifications.replaceScan', () => {
      if (versionOf(this.#scan) !== next.version - 1) return 'changed';
      this.#scan = JSON.stringify(next);
      return 'replaced';
    });
  }
}

function versionOf(state: string | undefined): number {
  return state === undefined ? 0 : JSON.parse(state).version;
}

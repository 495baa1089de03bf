import type {
  ActorProfile,
  AnomalyStates,
  StoredProfile,
  WorkspaceProfile,
} from '../../core/anomaly/anomaly-states.ts';
import type { MemoryTables } from './memory-ledger.ts';

interface Stored {
  readonly version: number;
  /** JSON. */
  readonly state: string;
}

/** The `AnomalyStates` port in memory; its calls have the faults of `tables`. Profiles are kept as the table keeps them: as text. */
export class MemoryAnomalyStates implements AnomalyStates {
  /** By workspace. Open to tests, which spoil them. */
  readonly workspaces = new Map<string, Stored>();
  /** By workspace and actor, as `<workspace>#<type>#<id>`; open likewise. */
  readonly actors = new Map<string, Stored & { readonly expiresAt: number }>();
  readonly #tables: Pick<MemoryTables, 'call'>;

  constructor(tables: Pick<MemoryTables, 'call'>) {
    this.#tables = tables;
  }

  read(workspaceId: string): Promise<StoredProfile | undefined> {
    return this.#tables.call('anomalies.read', () => profileOf(this.workspaces.get(workspaceId)));
  }

  replace(workspaceId: string, { version, ...content }: WorkspaceProfile): Promise<'replaced' | 'changed'> {
    return this.#tables.call('anomalies.replace', () => {
      if ((this.workspaces.get(workspaceId)?.version ?? 0) !== version - 1) return 'changed';
      this.workspaces.set(workspaceId, { version, state: JSON.stringify(content) });
      return 'replaced';
    });
  }

  readActors(workspaceId: string, names: readonly string[]): Promise<ReadonlyMap<string, StoredProfile>> {
    return this.#tables.call('anomalies.readActors', () => {
      const found = names.map(
        (name) => [name, profileOf(this.actors.get(`${workspaceId}#${name}`))] as const,
      );
      return new Map(found.flatMap(([name, profile]) => (profile === undefined ? [] : [[name, profile]])));
    });
  }

  replaceActor(
    workspaceId: string,
    actor: string,
    { version, ...content }: ActorProfile,
    expiresAt: number,
  ): Promise<'replaced' | 'changed'> {
    return this.#tables.call('anomalies.replaceActor', () => {
      const key = `${workspaceId}#${actor}`;
      if ((this.actors.get(key)?.version ?? 0) !== version - 1) return 'changed';
      this.actors.set(key, { version, state: JSON.stringify(content), expiresAt });
      return 'replaced';
    });
  }
}

function profileOf(stored: Stored | undefined): StoredProfile | undefined {
  if (stored === undefined) return undefined;
  try {
    return { version: stored.version, content: JSON.parse(stored.state) };
  } catch {
    return { version: stored.version, content: undefined };
  }
}

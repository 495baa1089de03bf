import { addCheckpoint, type WitnessAnswer, type WitnessParts } from '../../core/witness/add-checkpoint.ts';
import type { WitnessClient } from '../../core/witness/ask-witnesses.ts';
import type { WatchedDeployment } from '../../core/witness/witness-log.ts';
import type { WitnessedTree, WitnessStates } from '../../core/witness/witness-states.ts';
import { FakeClock } from './clock.ts';
import { MemorySigner } from './memory-signer.ts';

/** A witness with its memory in memory. */
export class MemoryWitness implements WitnessClient {
  readonly trees = new Map<string, WitnessedTree>();
  readonly clock = new FakeClock();
  readonly signer = new MemorySigner(new Uint8Array(32).fill(42));
  readonly answers: WitnessAnswer[] = [];
  /** Awaited between reading and writing the memory: another request may be answered meanwhile. */
  meanwhile: () => Promise<void> = async () => undefined;
  readonly parts: WitnessParts;

  constructor(deployments: readonly WatchedDeployment[]) {
    const states: WitnessStates = {
      read: async (origin) => this.trees.get(origin),
      replace: async (origin, previous, next) => {
        await this.meanwhile();
        const current = this.trees.get(origin);
        if (current?.size !== previous?.size || current?.root !== previous?.root) return 'changed';
        this.trees.set(origin, next);
        return 'replaced';
      },
    };
    this.parts = {
      name: 'witness.example.com/w1',
      deployments,
      states,
      signer: this.signer,
      clock: this.clock,
    };
  }

  async addCheckpoint(_url: string, body: string): Promise<WitnessAnswer> {
    const answer = await addCheckpoint(this.parts, body);
    this.answers.push(answer);
    return answer;
  }
}

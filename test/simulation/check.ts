import { checkChain } from './check-chain.ts';
import { checkDoors } from './check-doors.ts';
import { checkEntities } from './check-entities.ts';
import { checkLockout } from './check-lockout.ts';
import { checkModel } from './check-model.ts';
import { checkOnce } from './check-once.ts';
import { checkPlaintext } from './check-plaintext.ts';
import { checkPrograms } from './check-programs.ts';
import { checkRetries } from './check-retries.ts';
import { checkReveals } from './check-reveals.ts';
import { checkSessions } from './check-sessions.ts';
import { checkTenants } from './check-tenants.ts';
import type { Evidence } from './evidence.ts';
import { gatherFacts } from './facts.ts';
import { tellPeople } from './model-people.ts';

/**
 * Whether a history kept the promises of the vault, judged with nothing of the vault's own code: the stored bytes are
 * parsed, hashed and compared here anew. Gives a sentence for each promise that was broken.
 */
export function check(evidence: Evidence): string[] {
  const violations: string[] = [];
  const facts = gatherFacts(evidence, (invariant, sentence) => {
    violations.push(`${invariant}: ${sentence}`);
  });
  const people = tellPeople(facts);
  checkChain(facts);
  checkEntities(facts);
  checkReveals(facts);
  checkPlaintext(facts);
  checkTenants(facts, people);
  checkRetries(facts);
  checkModel(facts, people);
  checkDoors(facts, people);
  checkSessions(facts, people);
  checkPrograms(facts, people);
  checkOnce(facts, people);
  checkLockout(facts, people);
  return violations;
}

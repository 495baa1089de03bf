import { checkChain } from './check-chain.ts';
import { checkEntities } from './check-entities.ts';
import { checkModel } from './check-model.ts';
import { checkPlaintext } from './check-plaintext.ts';
import { checkRetries } from './check-retries.ts';
import { checkReveals } from './check-reveals.ts';
import { checkTenants } from './check-tenants.ts';
import type { Evidence } from './evidence.ts';
import { gatherFacts } from './facts.ts';

/**
 * Whether a history kept the promises of the vault, judged with nothing of the vault's own code: the stored bytes are
 * parsed, hashed and compared here anew. Gives a sentence for each promise that was broken.
 */
export function check(evidence: Evidence): string[] {
  const violations: string[] = [];
  const facts = gatherFacts(evidence, (invariant, sentence) => {
    violations.push(`${invariant}: ${sentence}`);
  });
  checkChain(facts);
  checkEntities(facts);
  checkReveals(facts);
  checkPlaintext(facts);
  checkTenants(facts);
  checkRetries(facts);
  checkModel(facts);
  return violations;
}

import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts findings of cdk-nag on `scope` and everything below it, for one reason which a reviewer can judge.
 *
 * @param rules Ids as cdk-nag prints them, with the finding in brackets where it prints one
 */
export function acknowledge(scope: IConstruct, reason: string, ...rules: readonly string[]): void {
  Validations.of(scope).acknowledge(...rules.map((id) => ({ id, reason })));
}

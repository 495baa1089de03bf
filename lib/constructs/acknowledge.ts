import { type Stack, Token, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Findings of cdk-nag that are accepted for one reason. */
export interface Acknowledgement {
  readonly reason: string;
  readonly rules: readonly string[];
}

/**
 * Accepts findings of cdk-nag on `scope` and everything below it, for one reason which a reviewer can judge.
 *
 * @param rules Ids as cdk-nag prints them, with the finding in brackets where it prints one
 */
export function acknowledge(scope: IConstruct, reason: string, ...rules: readonly string[]): void {
  Validations.of(scope).acknowledge(...rules.map((id) => ({ id, reason })));
}

/** An ARN of a pattern of resources as cdk-nag prints it in a finding. */
export function printed({ partition, account }: Stack, arn: string): string {
  const names: readonly [string, string][] = [
    [partition, '<AWS::Partition>'],
    [account, '<AWS::AccountId>'],
  ];
  return names.reduce(
    (text, [value, name]) => (Token.isUnresolved(value) ? text.replace(value, name) : text),
    arn,
  );
}

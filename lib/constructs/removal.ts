import { RemovalPolicy } from 'aws-cdk-lib';
import type { StageConfig } from '../stage.ts';

export function removalPolicyOf(stage: StageConfig): RemovalPolicy {
  return stage.removal === 'destroy' ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
}

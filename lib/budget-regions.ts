/**
 * The regions in which CloudFormation knows `AWS::Budgets::Budget`: cfn-lint 1.51.0, its resource types by region, without the
 * regions that `region` in `fields.ts` does not take. A budget is of the account wherever it is made.
 */
export const BUDGET_REGIONS: ReadonlySet<string> = new Set([
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'cn-north-1',
  'cn-northwest-1',
  'eu-central-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
]);

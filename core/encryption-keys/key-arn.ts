/** Where a key lies. */
export interface KeyPlace {
  readonly partition: string;
  readonly region: string;
  /** Twelve digits. */
  readonly accountId: string;
}

/** The ARN of one key by its id, a UUID or `mrk-` and 32 hex digits (KMS Developer Guide, "Key identifiers"). */
const KEY_ARN =
  /^arn:(aws[a-z-]{0,16}):kms:([a-z0-9-]{1,32}):(\d{12}):key\/(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** Reads what should be the ARN of a key; `undefined` for anything else, such as an alias or an id alone. */
export function parseKeyArn(text: string): KeyPlace | undefined {
  const [, partition, region, accountId] = KEY_ARN.exec(text) ?? [];
  if (partition === undefined || region === undefined || accountId === undefined) return undefined;
  return { partition, region, accountId };
}

/** Where a key of the deployment itself lies, and so the deployment: its ARN comes from the stage and is right. */
export function placeOf(deploymentKeyArn: string): KeyPlace {
  const [, partition = '', , region = '', accountId = ''] = deploymentKeyArn.split(':');
  return { partition, region, accountId };
}

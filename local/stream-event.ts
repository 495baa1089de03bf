import type { AttributeValue, _Record as StreamRecord } from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBRecord, DynamoDBStreamEvent, AttributeValue as LambdaAttribute } from 'aws-lambda';
import { RESOURCES } from './environment.ts';

/**
 * Records of a table's stream as Lambda hands them to a function: JSON, so that binary values are base64.
 *
 * @param ahead how far this process's time is ahead of the wall clock, by which DynamoDB Local dates its records; in
 * milliseconds.
 */
export function toStreamEvent(
  streamArn: string,
  records: readonly StreamRecord[],
  ahead: number,
): DynamoDBStreamEvent {
  return { Records: records.map((record) => toLambdaRecord(streamArn, record, ahead)) };
}

function toLambdaRecord(streamArn: string, record: StreamRecord, ahead: number): DynamoDBRecord {
  const { eventID, eventName, dynamodb = {}, userIdentity } = record;
  const { ApproximateCreationDateTime: created, Keys, NewImage, OldImage, ...others } = dynamodb;
  return {
    ...(eventID === undefined ? {} : { eventID }),
    ...(eventName === undefined ? {} : { eventName }),
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: RESOURCES.region,
    eventSourceARN: streamArn,
    dynamodb: {
      ...(others as DynamoDBRecord['dynamodb']),
      ...(created === undefined ? {} : { ApproximateCreationDateTime: (created.getTime() + ahead) / 1000 }),
      ...(Keys === undefined ? {} : { Keys: toImage(Keys) }),
      ...(NewImage === undefined ? {} : { NewImage: toImage(NewImage) }),
      ...(OldImage === undefined ? {} : { OldImage: toImage(OldImage) }),
    },
    ...(userIdentity === undefined
      ? {}
      : { userIdentity: { type: userIdentity.Type, principalId: userIdentity.PrincipalId } }),
  };
}

function toImage(image: Readonly<Record<string, AttributeValue>>): Record<string, LambdaAttribute> {
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, toLambdaAttribute(value)]));
}

function toLambdaAttribute(value: AttributeValue): LambdaAttribute {
  if (value.B !== undefined) return { B: toBase64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(toBase64) };
  if (value.L !== undefined) return { L: value.L.map(toLambdaAttribute) };
  if (value.M !== undefined) return { M: toImage(value.M) };
  return value as LambdaAttribute;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A message to all who subscribe to a topic: programs get `event`, and whoever reads mail gets `text`. */
export interface TopicMessage {
  readonly topicArn: string;
  /** The same when it is published again; at most 128 characters of ASCII. */
  readonly id: string;
  /** What has to stay in order, where a topic keeps one; likewise. */
  readonly group: string;
  readonly subject: string;
  readonly event: string;
  readonly text: string;
  /** What subscribers filter by. */
  readonly attributes: { readonly [name: string]: string };
}

/** @throws VaultError `unavailable` when the service does not take the message; it may have taken it all the same. */
export interface TopicPublisher {
  publish(message: TopicMessage): Promise<void>;
}

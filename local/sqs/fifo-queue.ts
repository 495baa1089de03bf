import { randomUUID } from 'node:crypto';
import { AwsError } from '../stand-in.ts';

export interface QueueSettings {
  /** How long a message that was received is hidden, unless the receiver says otherwise. */
  readonly visibilityTimeoutMs: number;
  /** Where a message goes that was received so often in vain; absent, it comes again for ever. */
  readonly redrive?: { readonly maxReceiveCount: number; readonly deadLetters: FifoQueue };
}

export interface NewMessage {
  readonly body: string;
  readonly groupId: string;
  readonly deduplicationId: string;
}

/** How a message that was sent is told from others. */
export interface SentMessage {
  readonly messageId: string;
  /** 20 digits, rising. */
  readonly sequenceNumber: string;
}

export interface ReceivedMessage extends NewMessage, SentMessage {
  readonly receiptHandle: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly firstReceivedAt: number;
  readonly receiveCount: number;
}

interface Message extends NewMessage, SentMessage {
  readonly sentAt: number;
  firstReceivedAt: number;
  receiveCount: number;
  /** Milliseconds since the epoch. */
  hiddenUntil: number;
}

export type FifoQueue = ReturnType<typeof openFifoQueue>;

/** A message that repeats another one's deduplication id within this time is not added (SQS, "Exactly-once processing"). */
const DEDUPLICATION_MS = 5 * 60 * 1000;

/**
 * A FIFO queue as SQS has it: order within a message group, and while messages of a group are with a receiver, no more
 * of that group are given out. It lives in memory.
 *
 * @param now milliseconds since the epoch.
 */
export function openFifoQueue(settings: QueueSettings, now: () => number) {
  let messages: Message[] = [];
  const sent = new Map<string, SentMessage & { readonly at: number }>();
  let sequence = 0;

  const isHidden = (message: Message): boolean => message.hiddenUntil > now();

  const add = (message: Omit<Message, 'sequenceNumber'>): SentMessage => {
    sequence += 1;
    const added = { ...message, sequenceNumber: String(sequence).padStart(20, '0') };
    messages.push(added);
    return { messageId: added.messageId, sequenceNumber: added.sequenceNumber };
  };

  /** The message that a handle stands for, while it is with whoever got that handle. */
  const findHeld = (receiptHandle: string): Message | undefined => {
    const [, messageId, count] = /^([0-9a-f-]{36})\.(\d+)$/.exec(receiptHandle) ?? [];
    if (messageId === undefined) {
      throw new AwsError('ReceiptHandleIsInvalid', 'The receipt handle is not one of this queue.');
    }
    const message = messages.find((each) => each.messageId === messageId);
    if (message === undefined) return undefined;
    if (message.receiveCount === Number(count) && isHidden(message)) return message;
    throw new AwsError('InvalidParameterValue', 'The receipt handle has expired.');
  };

  const moveDeadLetters = (): void => {
    const { redrive } = settings;
    if (redrive === undefined) return;
    const isDead = (message: Message): boolean =>
      !isHidden(message) && message.receiveCount >= redrive.maxReceiveCount;
    for (const dead of messages.filter(isDead)) redrive.deadLetters.take(dead);
    messages = messages.filter((message) => !isDead(message));
  };

  const queue = {
    /** Adds a message; one with a deduplication id of the last five minutes is the earlier one again. */
    send(message: NewMessage): SentMessage {
      for (const [id, { at }] of sent) if (now() - at >= DEDUPLICATION_MS) sent.delete(id);
      const earlier = sent.get(message.deduplicationId);
      if (earlier !== undefined) {
        return { messageId: earlier.messageId, sequenceNumber: earlier.sequenceNumber };
      }
      const state = { sentAt: now(), firstReceivedAt: 0, receiveCount: 0, hiddenUntil: 0 };
      const added = add({ ...message, ...state, messageId: randomUUID() });
      sent.set(message.deduplicationId, { ...added, at: now() });
      return added;
    },

    /** Takes over a message that another queue has given up. */
    take(message: Message): void {
      add({ ...message, receiveCount: 0, firstReceivedAt: 0, hiddenUntil: 0 });
    },

    /** At most `max` messages, each group's in order; hides them for this time. */
    receive(max: number, hiddenForMs: number = settings.visibilityTimeoutMs): ReceivedMessage[] {
      moveDeadLetters();
      const busy = new Set(messages.filter(isHidden).map(({ groupId }) => groupId));
      const received = messages.filter(({ groupId }) => !busy.has(groupId)).slice(0, max);
      return received.map((message) => {
        message.receiveCount += 1;
        message.hiddenUntil = now() + hiddenForMs;
        if (message.receiveCount === 1) message.firstReceivedAt = now();
        const { hiddenUntil, ...told } = message;
        return { ...told, receiptHandle: `${message.messageId}.${message.receiveCount}` };
      });
    },

    /** Throws AwsError where the handle has expired: somebody else may have the message. Twice is once. */
    remove(receiptHandle: string): void {
      const held = findHeld(receiptHandle);
      messages = messages.filter((message) => message !== held);
    },

    /** Hides a message that was received for this time from now on; 0 gives it back at once. */
    hide(receiptHandle: string, milliseconds: number): void {
      const held = findHeld(receiptHandle);
      if (held !== undefined) held.hiddenUntil = now() + milliseconds;
    },

    count(): { readonly visible: number; readonly hidden: number } {
      const hidden = messages.filter(isHidden).length;
      return { visible: messages.length - hidden, hidden };
    },
  };
  return queue;
}

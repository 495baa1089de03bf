import type {
  Delivery,
  DeliveryLog,
  DeliveryState,
  StoredDeliveryState,
} from '../../core/siem/delivery-log.ts';
import type { WebhookRef } from '../../core/siem/webhook.ts';
import type { MemoryTables } from './memory-ledger.ts';

/** The `DeliveryLog` port in memory; its calls have the faults of `tables`. */
export class MemoryDeliveryLog implements DeliveryLog {
  readonly #tables: MemoryTables;
  readonly #states = new Map<string, StoredDeliveryState>();
  readonly #records = new Map<string, Map<string, Delivery>>();

  constructor(tables: MemoryTables) {
    this.#tables = tables;
  }

  read(webhook: WebhookRef): Promise<StoredDeliveryState | undefined> {
    return this.#tables.call('deliveries.read', () => this.#states.get(nameOf(webhook)));
  }

  replace(webhook: WebhookRef, version: number, next: DeliveryState): Promise<'replaced' | 'changed'> {
    return this.#tables.call('deliveries.replace', () => {
      if ((this.#states.get(nameOf(webhook))?.version ?? 0) !== version) return 'changed';
      this.#states.set(nameOf(webhook), { version: version + 1, state: next });
      return 'replaced';
    });
  }

  record(webhook: WebhookRef, delivery: Delivery): Promise<void> {
    return this.#tables.call('deliveries.record', () => {
      const records = this.#records.get(nameOf(webhook)) ?? new Map<string, Delivery>();
      this.#records.set(nameOf(webhook), records);
      records.set(`${String(delivery.at).padStart(15, '0')}#${delivery.firstEventId}`, delivery);
    });
  }

  list(webhook: WebhookRef, { limit, after }: { readonly limit: number; readonly after?: string }) {
    return this.#tables.call('deliveries.list', () => {
      const entries = [...(this.#records.get(nameOf(webhook)) ?? [])]
        .filter(([key]) => after === undefined || key < after)
        .sort(([a], [b]) => (a < b ? 1 : -1));
      const items = entries.slice(0, limit).map(([, delivery]) => delivery);
      const [last] = entries[limit - 1] ?? [];
      return entries.length > limit && last !== undefined ? { items, next: last } : { items };
    });
  }

  forget(webhook: WebhookRef): Promise<void> {
    return this.#tables.call('deliveries.forget', () => {
      this.#states.delete(nameOf(webhook));
    });
  }
}

function nameOf({ workspaceId, id }: WebhookRef): string {
  return `${workspaceId}#${id}`;
}

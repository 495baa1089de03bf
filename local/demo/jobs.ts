import { StoryError } from './client.ts';

/** Until the functions that the tables wake have done their work. */
export async function settle(url: string): Promise<void> {
  const answer = await fetch(`${url}/_pump`, { method: 'POST' });
  if (!answer.ok) throw new StoryError(`The functions behind the tables failed: ${await answer.text()}`);
}

/** Runs a function out of turn, as an operator does who invokes it. */
export async function runJob<T>(url: string, name: string, event: object): Promise<T> {
  const answer = await fetch(`${url}/_jobs/${name}`, { method: 'POST', body: JSON.stringify(event) });
  if (!answer.ok) throw new StoryError(`The function ${name} failed: ${await answer.text()}`);
  return (await answer.json()) as T;
}

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

/** Moves the vault's time on, for good, while none of its functions is at work. */
export async function passMinutes(url: string, minutes: number): Promise<void> {
  await settle(url);
  const answer = await fetch(`${url}/_time`, { method: 'POST', body: JSON.stringify({ minutes }) });
  if (!answer.ok) throw new StoryError(`Time was not moved on: ${await answer.text()}`);
}

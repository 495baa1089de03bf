import { jsonOf } from './facts.ts';
import type { Observed } from './observed.ts';
import { standingOf } from './sessions.ts';

/** Lists of people's sessions and of members: each thing was so while the request was under way, and none is missing. */
export function checkPeopleLists(observed: Observed): void {
  const { path, method } = observed.exchange.sent;
  if (method !== 'GET') return;
  if (path === '/auth/sessions') checkSessionList(observed);
  if (path === '/workspace/members') checkMembers(observed);
}

function checkSessionList({ facts, people, holder, exchange, answer, start, fail }: Observed): void {
  const listed = new Set((jsonOf(answer).items ?? []).map(({ id }) => id));
  for (const story of people.sessions.values()) {
    const isOwn = story.userId === holder.id;
    const { isOver, mayBeOver } = standingOf(facts, people.uses, story, exchange);
    if (listed.has(story.id) && (!isOwn || isOver)) fail(`lists the session ${story.id}`);
    const isMissing = isOwn && story.opened.step <= start && !mayBeOver && !listed.has(story.id);
    if (isMissing) fail(`leaves out the session ${story.id}`);
  }
  if (!listed.has(holder.session?.id ?? '') && !isEnding({ people, holder, exchange }))
    fail('leaves out its own session');
}

/** Whether the session at work may end while it asks. */
function isEnding({ people, holder, exchange }: Pick<Observed, 'people' | 'holder' | 'exchange'>): boolean {
  const story = people.sessions.get(holder.session?.id ?? '');
  const { end = Number.MAX_SAFE_INTEGER } = exchange;
  return [...(story?.ends ?? []), ...(story?.doubts ?? [])].some((step) => step <= end);
}

function checkMembers({ people, holder, answer, start, end, fail }: Observed): void {
  const { items = [] } = jsonOf(answer);
  const prefix = `${holder.workspaceId}/`;
  const listed = new Map(items.map(({ userId = '', role }) => [userId, role]));
  for (const [id, role] of listed) {
    if (!people.roles.during(prefix + id, start, end).includes(role)) fail(`lists ${id} as a ${role}`);
  }
  for (const name of people.roles.keys().filter((key) => key.startsWith(prefix))) {
    const isAlwaysThere = people.roles.during(name, start, end).every((role) => role !== undefined);
    if (isAlwaysThere && !listed.has(name.slice(prefix.length))) fail(`leaves out ${name}`);
  }
}

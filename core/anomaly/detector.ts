import type * as z from 'zod';
import type { Alert } from '../detection/alert.ts';
import type { Observation } from './observation.ts';

/** What a detector found: an alert, but for the workspace, and with its reasons. */
export type Sighting = Omit<Alert, 'workspaceId' | 'occurrence'> &
  Required<Pick<Alert, 'seen' | 'usual' | 'rows'>>;

/** Nothing was found: one array for all, since nearly every row is answered with it. */
export const NOTHING: readonly Sighting[] = [];

/**
 * One way of noticing that something is wrong. A detector keeps one state for each actor (`api_key` or `user`), or one
 * for the workspace, as `scope` says. It looks at nothing but the row, its state and its thresholds: no clock, no
 * chance. So the same rows have the same findings, and a run that died half way can be repeated.
 *
 * A state is plain JSON of bounded size: at most 4 KB for an actor, 64 KB for a workspace, whatever the rows say.
 */
export interface Detector<State, Thresholds> {
  readonly scope: 'actor' | 'workspace';
  /** Checked when a state is read. One that does not fit is dropped, and the detector begins anew. */
  readonly state: z.ZodType<State>;
  /** What a workspace can tune: bounded, with a default for each member, so that `{}` parses. */
  readonly thresholds: z.ZodType<Thresholds>;
  /** The thresholds by which it notices less the lower they are; by all others, the higher. */
  readonly weakerWhenLower?: readonly string[];
  /** The successor of a rotated key goes on with the state of that key, unless this is set. */
  readonly startsAnew?: true;
  initial(): State;
  /**
   * Takes a row into account, changing `state` in place.
   *
   * @param row an `actor` detector gets the rows of its actor; a `workspace` detector gets all.
   * @returns what this row gives reason for; {@link NOTHING} for nearly all.
   */
  observe(state: State, row: Observation, thresholds: Thresholds): readonly Sighting[];
}

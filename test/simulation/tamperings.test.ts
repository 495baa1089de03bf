import { runJob } from './client.ts';
import { runHistory } from './history.ts';
import { jobs, verifications } from './jobs.ts';
import { isAbout, tamperings } from './tamperings.ts';

const SAMPLES = 4;
/** Some need many histories until there is an occasion. */
const TIME_LIMIT_MS = 120_000;

describe("the vault's own verifier finds it when somebody", () => {
  it.each(tamperings)(
    '$name',
    async ({ apply }) => {
      let seed = 1;
      for (let sample = 0; sample < SAMPLES; seed += 1) {
        const { world, teams } = await runHistory(seed);
        const touched = apply(world, teams[world.random.below(teams.length)]?.workspaceId ?? '');
        if (touched === undefined) continue;
        sample += 1;
        const job = runJob(world, jobs.verify);
        await world.scheduler.run();
        const breaks = verifications(await job).flatMap(({ verification }) => verification?.breaks ?? []);
        if (!breaks.some((found) => isAbout(found, touched))) {
          const what = `${JSON.stringify(touched)} is not among ${JSON.stringify(breaks)}`;
          throw new Error(`In the history of seed ${seed}, ${what}.`);
        }
      }
    },
    TIME_LIMIT_MS,
  );
});

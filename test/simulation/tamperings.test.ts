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
        const results = (await job).result as Awaited<ReturnType<typeof verifyDeployment>>;
        const breaks = results.flatMap((result) => result.breaks);
        if (!breaks.some((found) => isAbout(found, touched))) {
          throw new Error(
            `In the history of seed ${seed}, ${JSON.stringify(touched)} is not among ${JSON.stringify(breaks)}.`,
          );
        }
      }
    },
    TIME_LIMIT_MS,
  );
});

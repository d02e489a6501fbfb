// The two ways to send a profile's shape: `start` users, then stages of so many users within so many seconds.

// What the largest profile has: more virtual users would measure the machine that they run on.
const MAX_USERS = 500;
const PER_MINUTE = 60;

// Virtual users, each of whom begins again when the last answer is there: a slow service is asked less.
export function byUsers({ start, stages }) {
  return {
    executor: 'ramping-vus',
    startVUs: start,
    stages: stages.map(({ users, seconds }) => ({ target: users, duration: lasting(seconds) })),
    gracefulStop: '30s',
    gracefulRampDown: '30s',
  };
}

// Iterations that begin at a rate, `rate` a second where the shape has its peak, however slow the answers are; those
// for which no virtual user is free are counted as dropped.
export function byRate({ start, stages }, rate) {
  const peak = Math.max(...stages.map(({ users }) => users));
  const arrivals = (users) => Math.round((PER_MINUTE * rate * users) / peak);
  const common = {
    // k6 takes whole numbers only; per minute they are fine enough for the slow ends of a spike.
    timeUnit: '1m',
    preAllocatedVUs: Math.min(MAX_USERS, Math.ceil(2 * rate)),
    maxVUs: MAX_USERS,
    gracefulStop: '30s',
  };
  if (stages.every(({ users }) => users === start)) {
    const seconds = stages.reduce((sum, stage) => sum + stage.seconds, 0);
    return { executor: 'constant-arrival-rate', rate: arrivals(start), duration: lasting(seconds), ...common };
  }
  return {
    executor: 'ramping-arrival-rate',
    startRate: arrivals(start),
    stages: stages.map(({ users, seconds }) => ({ target: arrivals(users), duration: lasting(seconds) })),
    ...common,
  };
}

function lasting(seconds) {
  return `${Math.round(1000 * seconds)}ms`;
}

// The profiles: how many virtual users, for how long, and how long each waits between two requests.
//
// A signup and a login cost one password hash each, and a core makes some forty of them a second: the pauses keep
// the larger profiles near what two cores can hash.
import { byRate, byUsers } from './executors.js';

const profiles = {
  smoke: { pauseSeconds: 0.05, start: 1, stages: [{ users: 1, seconds: 30 }] },
  load: { pauseSeconds: 1, start: 1, stages: ramped(100, 15, 100, 5) },
  stress: { pauseSeconds: 2, mayShed: true, start: 1, stages: ramped(500, 30, 140, 10) },
  spike: {
    pauseSeconds: 2,
    mayShed: true,
    start: 10,
    stages: [
      { users: 10, seconds: 30 },
      { users: 500, seconds: 10 },
      { users: 500, seconds: 60 },
      { users: 10, seconds: 10 },
      { users: 10, seconds: 30 },
    ],
  },
  soak: { pauseSeconds: 1, start: 1, stages: ramped(100, 30, 29 * 60, 30) },
};

// With a rate, users come whether others wait or not: none has to wait long to keep their number down.
const RATE_PAUSE_SECONDS = 0.1;
// Of a population few are at work at a time, and they come again: that is what a cache is for.
const ACTIVE_FOR_EACH_USER = 10;
const MOST_ACTIVE = 1000;
const SECONDS = { s: 1, m: 60, h: 3600 };

// Returns the profile of that type: lasting `duration` (such as 90s) instead of its own length if given, and with
// `rate` iterations a second at its peak instead of so many users.
export function pick(type, duration, rate) {
  const profile = profiles[type];
  if (!profile) {
    throw new Error(`TYPE is one of ${Object.keys(profiles).join(', ')}, not "${type}"`);
  }
  const shape = { start: profile.start, stages: duration ? lasting(profile.stages, duration) : profile.stages };
  return {
    type,
    rate,
    activeUsers: Math.min(MOST_ACTIVE, ACTIVE_FOR_EACH_USER * Math.max(...profile.stages.map(({ users }) => users))),
    pauseSeconds: rate ? Math.min(profile.pauseSeconds, RATE_PAUSE_SECONDS) : profile.pauseSeconds,
    mayShed: profile.mayShed || false,
    scenario: rate ? byRate(shape, rate) : byUsers(shape),
  };
}

// Returns the stages stretched or shortened alike, so that all of them last `duration`.
function lasting(stages, duration) {
  const [, amount, unit] = /^([1-9]\d*)([smh])$/.exec(duration) || [];
  if (!amount) {
    throw new Error(`DURATION is a number with s, m or h behind it, such as 90s, not "${duration}"`);
  }
  const factor = (Number(amount) * SECONDS[unit]) / stages.reduce((sum, { seconds }) => sum + seconds, 0);
  return stages.map(({ users, seconds }) => ({ users, seconds: seconds * factor }));
}

function ramped(users, up, hold, down) {
  return [
    { users, seconds: up },
    { users, seconds: hold },
    { users: 0, seconds: down },
  ];
}

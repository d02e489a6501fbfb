// The profiles: how many virtual users, for how long, and how long each waits between two requests.
//
// A signup and a login cost one password hash each, and a core makes some forty of them a second: the pauses keep
// the larger profiles near what two cores can hash.
const profiles = {
  smoke: { pauseSeconds: 0.05, stages: steady(1, '30s') },
  load: { pauseSeconds: 0.5, stages: ramped(100, '15s', '100s', '5s') },
  stress: { pauseSeconds: 2, mayShed: true, stages: ramped(500, '30s', '140s', '10s') },
  spike: {
    pauseSeconds: 2,
    mayShed: true,
    startVUs: 10,
    stages: [
      { target: 10, duration: '30s' },
      { target: 500, duration: '10s' },
      { target: 500, duration: '60s' },
      { target: 10, duration: '10s' },
      { target: 10, duration: '30s' },
    ],
  },
  soak: { pauseSeconds: 1, stages: ramped(100, '30s', '29m', '30s') },
};

// Returns the profile of that type, smoke shortened to `duration` if given.
export function pick(type, duration) {
  const profile = profiles[type];
  if (!profile) {
    throw new Error(`TYPE is one of ${Object.keys(profiles).join(', ')}, not "${type}"`);
  }
  const stages = type === 'smoke' && duration ? steady(1, duration) : profile.stages;
  return {
    type,
    pauseSeconds: profile.pauseSeconds,
    mayShed: profile.mayShed || false,
    scenario: {
      executor: 'ramping-vus',
      startVUs: profile.startVUs || 1,
      stages,
      gracefulStop: '30s',
      gracefulRampDown: '30s',
    },
  };
}

function steady(users, duration) {
  return [{ target: users, duration }];
}

function ramped(users, up, hold, down) {
  return [
    { target: users, duration: up },
    { target: users, duration: hold },
    { target: 0, duration: down },
  ];
}
